"""Building blocks of request and answer bodies."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

T = TypeVar("T")

#: Texts as people type them: trimmed, not empty, bounded.
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4, max_length=300)]


class In(BaseModel):
    """A request body: a field that we do not know is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """An answer body, read from rows or objects."""

    model_config = ConfigDict(from_attributes=True)


class Page(Out, Generic[T]):
    """One page of a list; ask for the next with `cursor=next_cursor`."""

    items: list[T]
    next_cursor: str | None = Field(default=None, description="NULL: this was the last page")
