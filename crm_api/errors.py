"""Refusals of the operational core that its reader can mend; the API turns each into a problem document."""

from core.errors import CrmError


class RefusedError(CrmError):
    """A request that the store's present state, or the caller's rights, do not allow.

    `status` is the HTTP status and `slug` the machine-readable kind that the API reports.
    """

    status = 400
    slug = "refused"
    #: Message and mend in Chinese where the refusal brings them itself; others are put into words by `wording`.
    in_chinese: tuple[str, str] | None = None


class NotFoundError(RefusedError):
    """Nothing by that name exists within the caller's scope."""

    status = 404
    slug = "not-found"


class NotAllowedError(RefusedError):
    """The caller's role may not do this."""

    status = 403
    slug = "not-allowed"


class ConflictError(RefusedError):
    """The present state contradicts the request, e.g. a name that is taken."""

    status = 409
    slug = "conflict"


class OutdatedError(RefusedError):
    """Somebody else changed the thing since it was read."""

    status = 412
    slug = "outdated"


class InvalidError(RefusedError):
    """A value is well-formed but wrong."""

    status = 422
    slug = "invalid"
