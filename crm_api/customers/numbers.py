"""Telephone numbers in any spelling people type, as the E.164 they may mean."""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

_REGION = "CN"
_NOISE = re.compile(r"[\s\-–—－()（）.·/]+")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９＋", "0123456789+")


def clean(text: str) -> str:
    """`text` with full-width digits narrowed and spaces, dashes and brackets removed."""
    return _NOISE.sub("", text.translate(_FULL_WIDTH))


def looks_like_number(text: str) -> bool:
    """Whether `text` is digits (with + or separators) rather than a name or an address."""
    digits = clean(text).removeprefix("+")
    return digits.isascii() and digits.isdigit()


def _e164(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text, _REGION)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def candidates(text: str, area_codes: list[str]) -> list[str]:
    """Every E.164 that `text` may mean, likeliest first, without repetition.

    Args:
        area_codes: with the trunk 0 ("029"), tried in front of a local number, likeliest first.
    """
    plain = clean(text)
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    digits = plain.removeprefix("+")
    if not digits.isdigit() or not digits.isascii():
        return []
    spellings = [plain]
    if not plain.startswith("+"):
        if len(digits) in (7, 8) and not digits.startswith("0"):
            spellings = [*(code + digits for code in area_codes), plain]
        if digits.startswith("86") and len(digits) >= 12:
            spellings.append("+" + digits)
        # Switchboards put a 0 before mobiles of other cities.
        if re.fullmatch(r"01[3-9]\d{9}", digits):
            spellings.append(digits[1:])
    found = (_e164(spelling) for spelling in spellings)
    return list(dict.fromkeys(number for number in found if number))


def national_prefixes(text: str) -> list[str]:
    """What the E.164 of a number being typed may begin with: 138 gives +86138, 029 gives +8629."""
    plain = clean(text)
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    if plain.startswith("+"):
        return [plain]
    found = ["+86" + plain.removeprefix("0")]
    if plain.startswith("86") and len(plain) > 2:
        found.append("+" + plain)
    return found
