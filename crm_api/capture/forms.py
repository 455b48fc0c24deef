"""Reading forms: texts, numbers and local times as typed; what is malformed is refused by name."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from core.time import LOCAL, require_aware
from crm_api.errors import InvalidError

_MOST = 2**63


class Fields:
    """A sent form; blank fields count as absent."""

    def __init__(self, form: FormData) -> None:
        self._form = form

    def text(self, name: str, *, longest: int = 20_000) -> str | None:
        """The text of a field, stripped; None if blank. InvalidError if it is too long or a file."""
        value = self._form.get(name)
        if value is None:
            return None
        if isinstance(value, UploadFile) or len(value) > longest:
            raise InvalidError(f"{name} is not a text of at most {longest} characters.", "Shorten it.")
        return value.strip() or None

    def number(self, name: str) -> int | None:
        """The whole number of a field; None if blank."""
        value = self.text(name, longest=30)
        return None if value is None else _whole(name, value)

    def numbers(self, name: str) -> list[int]:
        """The whole numbers of a field that may stand several times."""
        return [_whole(name, value) for value in self._form.getlist(name) if isinstance(value, str)]

    def listed(self, name: str, *, longest: int = 60) -> list[str]:
        """The texts of a field that may stand several times, blanks left out. InvalidError if one is too long."""
        values = [value for value in self._form.getlist(name) if isinstance(value, str) and value.strip()]
        if any(len(value) > longest for value in values):
            raise InvalidError(f"{name} is longer than {longest} characters.", "Choose it from the list.")
        return values

    def local_time(self, name: str) -> datetime | None:
        """The instant that a local date and time (2026-03-02T09:30) means; None if blank."""
        value = self.text(name, longest=40)
        if value is None:
            return None
        try:
            typed = datetime.fromisoformat(value)
        except ValueError as error:
            raise InvalidError(
                f"{name} is {value!r}, not a date and time.", "Write it like 2026-03-02T09:30."
            ) from error
        return require_aware(typed if typed.tzinfo else typed.replace(tzinfo=LOCAL))

    def texts(self) -> dict[str, str]:
        """Every field that is a text, as typed."""
        return {name: value for name, value in self._form.items() if isinstance(value, str)}


def _whole(name: str, value: str) -> int:
    try:
        number = int(value)
    except ValueError as error:
        raise InvalidError(f"{name} is {value!r}, not a whole number.", "Choose it from the list.") from error
    if not 0 <= number < _MOST:
        raise InvalidError(f"{name} is {number}, out of range.", "Choose it from the list.")
    return number


async def _fields(request: Request) -> Fields:
    return Fields(await request.form(max_files=0))


#: The form that a route was sent; read before the route runs, so that the route itself may block.
Sent = Annotated[Fields, Depends(_fields)]
