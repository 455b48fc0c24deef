"""Our own errors: each carries a message that a user can act on."""


class CrmError(Exception):
    """A fault that its reader can mend; printed without a traceback, exit status 2.

    Args:
        message: what is wrong, naming the field and the value.
        mend: what to do about it.
    """

    exit_code = 2
    #: Whether it may pass by itself, so that another try later can help.
    can_pass = False

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}\n  {self.mend}" if self.mend else self.message


class ConfigurationError(CrmError):
    """A setting or a mapping file is wrong."""


class BadInputError(CrmError):
    """A file or value that a person gave is wrong."""


class StoreUnavailableError(CrmError):
    """The operational store is missing, locked or not migrated."""

    can_pass = True


class GateFailedError(CrmError):
    """A quality gate refused a load or a publication; nothing was published."""

    exit_code = 3


class NotPublishedError(CrmError):
    """No publication exists yet (or the one named is gone)."""
