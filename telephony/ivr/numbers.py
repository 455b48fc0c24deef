"""Numbers as the names of the prompts that say them, in zh and en."""

_ZH_UNITS = ((1000, "d1000"), (100, "d100"), (10, "d10"))
_EN_UNITS = ((1000, "d1000"), (100, "d100"))
#: Prompt name -> text, by language.
WORDS: dict[str, dict[str, str]] = {
    "zh": {f"d{n}": word for n, word in enumerate("零一二三四五六七八九")}
    | {"d10": "十", "d100": "百", "d1000": "千", "d10000": "万"},
    "en": {f"d{n}": str(n) for n in (*range(20), *range(20, 100, 10))} | {"d100": "hundred", "d1000": "thousand"},
}
LARGEST = 99_999_999


def say_integer(number: int, language: str) -> list[str]:
    """Prompts that say a whole number from 0 to 99,999,999."""
    if not 0 <= number <= LARGEST:
        raise ValueError(f"{number} is not from 0 to {LARGEST}")
    return _zh(number) if language == "zh" else _en(number)


def say_yuan(fen: int, language: str) -> list[str]:
    """Prompts that say an amount of money, given in fen, without its sign: 1234 is 12.34 yuan."""
    whole, rest = divmod(min(abs(fen), LARGEST * 100), 100)
    prompts = say_integer(whole, language)
    if rest:
        prompts += ["point", *(f"d{digit}" for digit in f"{rest:02}".rstrip("0"))]
    return [*prompts, "yuan"]


def _zh(number: int) -> list[str]:
    if number >= 10_000:
        high, low = divmod(number, 10_000)
        zero = ["d0"] if 0 < low < 1000 else []
        return [*_zh(high), "d10000", *zero, *(_zh(low) if low else [])]
    if number == 0:
        return ["d0"]
    found: list[str] = []
    left_out = False
    for unit, name in _ZH_UNITS:
        digit, number = divmod(number, unit)
        if digit:
            found += ["d0"] if left_out and found else []
            # Ten is said without its one, unless something stands before it.
            found += [name] if unit == 10 and digit == 1 and not found else [f"d{digit}", name]
        left_out = digit == 0 and bool(found)
    if number:
        found += ["d0", f"d{number}"] if left_out else [f"d{number}"]
    return found


def _en(number: int) -> list[str]:
    if number < 20:
        return [f"d{number}"]
    if number < 100:
        tens, rest = divmod(number, 10)
        return [f"d{tens * 10}", *([f"d{rest}"] if rest else [])]
    unit, name = next(one for one in _EN_UNITS if number >= one[0])
    high, rest = divmod(number, unit)
    return [*_en(high), name, *(_en(rest) if rest else [])]
