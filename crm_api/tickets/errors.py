"""Refusals of the loop, for their reader to act on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm_api.errors import ConflictError, InvalidError


@dataclass(frozen=True)
class Difference:
    """A field that somebody else changed since it was read."""

    field: str
    theirs: Any
    actor: str | None
    at: datetime


class EditedMeanwhileError(ConflictError):
    """Somebody else changed the same fields: `differences` says which, to what, who and when."""

    slug = "edited-meanwhile"

    def __init__(self, differences: Mapping[str, Difference]) -> None:
        told = "; ".join(f"{each.field} is now {each.theirs!r} ({each.actor})" for each in differences.values())
        super().__init__(
            f"The ticket was changed meanwhile: {told}.", "Look at it again, then repeat what still holds."
        )
        self.differences = dict(differences)

    @property
    def extra(self) -> dict[str, Any]:
        """What a program is told: each field with its present value, who made it so and when."""
        told = {
            name: {
                "theirs": each.theirs.isoformat() if isinstance(each.theirs, datetime) else each.theirs,
                "actor": each.actor,
                "at": each.at.isoformat(),
            }
            for name, each in self.differences.items()
        }
        return {"differences": told}


class WrongStateError(ConflictError):
    """The ticket's state, or what hangs on it, does not allow the step; `guard` names what stands in the way."""

    slug = "wrong-state"

    def __init__(self, message: str, mend: str = "", *, guard: str = "state") -> None:
        super().__init__(message, mend)
        self.guard = guard

    @property
    def extra(self) -> dict[str, Any]:
        """What a program is told: what stands in the way."""
        return {"guard": self.guard}


class MissingFieldsError(InvalidError):
    """What the process asks for at this step was not filled in."""

    slug = "missing-fields"

    def __init__(self, step: str, fields: Sequence[str]) -> None:
        super().__init__(f"“{step}” needs: {', '.join(fields)}.", "Fill them in and repeat.")
        self.fields = list(fields)

    @property
    def extra(self) -> dict[str, Any]:
        """What a program is told: the fields to fill in."""
        return {"fields": self.fields}
