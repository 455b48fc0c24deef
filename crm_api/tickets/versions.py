"""Which version of a ticket a caller saw: the number of its last event, as an ETag or in the body."""

from starlette.exceptions import HTTPException

from crm_api.errors import OutdatedError

_DIGITS = 9


def version_seen(header: str | None, present: int, *, body: int | None = None) -> int | None:
    """The version that If-Match (or the body) names; None if neither does, `present` for `*`.

    Raises:
        OutdatedError: the tag is none that this ticket ever had.
    """
    if header is None:
        seen = body
    elif header.strip() == "*":
        return present
    else:
        tag = header.strip().removeprefix("W/").strip('"')
        if not (tag.isascii() and tag.isdigit() and len(tag) <= _DIGITS):
            raise OutdatedError(f"{header!r} is no version of this ticket.", "Send the ETag that you read.")
        seen = int(tag)
    if seen is not None and seen > present:
        raise OutdatedError(f"The ticket has no version {seen} yet.", "Send the ETag that you read.")
    return seen


def version_required(header: str | None, present: int) -> int:
    """The same where a change could overwrite somebody else's: 428 without the header."""
    seen = version_seen(header, present)
    if seen is None:
        raise HTTPException(428, "Name the version that you read: send its ETag as If-Match.")
    return seen
