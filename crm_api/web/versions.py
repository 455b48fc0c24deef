"""ETags: the version somebody read, and the check that it is still the present one when they write."""

from typing import Annotated

from fastapi import Header, Response
from starlette.exceptions import HTTPException

from crm_api.errors import OutdatedError

#: The version read; required where a change could overwrite somebody else's.
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=100, examples=['"7"'])]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", max_length=300)]


def etag(version: int) -> str:
    """A strong entity tag of a row's version."""
    return f'"{version}"'


def _tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]


def check_if_match(header: str | None, version: int) -> None:
    """428 without the header, OutdatedError unless it names the present version."""
    if header is None:
        raise HTTPException(428, "Name the version that you read: send its ETag as If-Match.")
    tags = _tags(header)
    if "*" not in tags and etag(version) not in tags:
        raise OutdatedError("Somebody else changed this since you read it.", "Read it again, then retry.")


def is_unchanged(header: str | None, version: int) -> bool:
    """Whether the caller already holds this version (answer 304)."""
    return header is not None and etag(version) in _tags(header)


def set_etag(response: Response, version: int) -> None:
    """Tell the caller the version; no shared cache may keep the body."""
    response.headers["ETag"] = etag(version)
    response.headers["Cache-Control"] = "private, no-cache"
