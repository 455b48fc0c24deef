"""Personal numbers as they are shown until somebody reveals them with a reason."""


def mask_number(e164: str) -> str:
    """A telephone number with its middle hidden: +8613891234567 becomes 138****4567."""
    digits = e164.removeprefix("+86").removeprefix("+")
    if len(digits) <= 4:
        return "*" * len(digits)
    shown = 3 if len(digits) >= 9 else 0
    return digits[:shown] + "*" * (len(digits) - shown - 4) + digits[-4:]


def mask_identity(number: str | None) -> str | None:
    """An identity number with only its region (6) and last two characters shown."""
    if number is None:
        return None
    if len(number) <= 8:
        return "*" * len(number)
    return number[:6] + "*" * (len(number) - 8) + number[-2:]


def mask_email(address: str) -> str:
    """An e-mail address with its first character and its host shown."""
    local, _, host = address.partition("@")
    return f"{local[:1]}***@{host}"
