"""Which encoding a text file is in: told or found out, and held to it to the last byte before a row is read."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from core.errors import BadInputError

_BLOCK = 1 << 20
_SAMPLE = 1 << 18
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: What is looked for where nobody says: other single-byte code pages are too alike to be told apart.
_CANDIDATES = ["gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1252", "latin_1"]
_UTF8_RUNS = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HOW_TO_SAY = "Say which it is with --encoding, e.g. --encoding gb18030."


@dataclass(frozen=True)
class WrongByte:
    """The first byte that an encoding cannot read."""

    position: int
    line: int
    value: int


def first_wrong_byte(path: Path, encoding: str) -> WrongByte | None:
    """The first byte of the file that `encoding` cannot read, None if it reads them all."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines, done = 1, 0
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                lines += decoder.decode(block, final=not block).count("\n")
            except UnicodeDecodeError as error:
                # The decoder's own buffer stands before the block it was given.
                start = done - (len(error.object) - len(block)) + error.start
                before = error.object[: error.start].decode(encoding, "ignore").count("\n")
                return WrongByte(start, lines + before, error.object[error.start])
            except UnicodeError:  # e.g. UTF-16 without its byte-order mark
                return WrongByte(done, lines, block[0] if block else 0)
            if not block:
                return None
            done += len(block)


def _is_utf8_in_disguise(path: Path, *, minimum: int) -> bool:
    """Whether the bytes beyond ASCII, `minimum` characters of them or more, are all well-formed UTF-8."""
    if first_wrong_byte(path, "utf-8") is not None:
        return False
    found = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            runs = _UTF8_RUNS.findall(block)
            # Three bytes in a row that happen to be UTF-8 weigh more than two.
            found += sum(1 if len(run) == 2 else minimum for run in runs)
            if found >= minimum:
                return True
    return False


def check_encoding(path: Path, encoding: str) -> str:
    """`encoding` under Python's name, if it reads the whole file; BadInputError names the byte and the line."""
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)  # only an encoding of text can do this (base64 cannot)
    except (LookupError, ValueError) as error:
        raise BadInputError(
            f"The encoding {encoding!r} is not known.", "Known are e.g. utf-8, gb18030, latin-1, utf-16."
        ) from error
    wrong = first_wrong_byte(path, name)
    if wrong is not None:
        raise BadInputError(
            f"{path.name} is not {encoding}: byte {wrong.value:#04x} at position {wrong.position} (line {wrong.line}) "
            "cannot be read; nothing was loaded.",
            _other_encoding(path, name),
        )
    if name == "utf-8":
        return "utf-8-sig"  # a byte-order mark is not part of the first column's name
    if not name.startswith(("utf", "ascii")):
        single_byte = len(bytes(range(256)).decode(name, "replace")) == 256
        if _is_utf8_in_disguise(path, minimum=1 if single_byte else 8):
            raise BadInputError(
                f"{path.name} would turn into unreadable characters as {encoding}: its bytes are well-formed UTF-8.",
                "Use --encoding utf-8, or correct file.encoding in the mapping.",
            )
    return name


def _other_encoding(path: Path, refused: str) -> str:
    try:
        found = detect_encoding(path)
    except BadInputError:
        return _HOW_TO_SAY
    return f"It reads as {found}: try --encoding {found.removesuffix('-sig')}" if found != refused else _HOW_TO_SAY


def _lines_beyond_ascii(path: Path) -> bytes:
    """The first lines that hold more than ASCII, up to the size of the sample; they decide."""
    kept, size = [], 0
    with path.open("rb") as file:
        for line in file:
            if not line.isascii():
                kept.append(line)
                size += len(line)
                if size >= _SAMPLE:
                    break
    return b"".join(kept)


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without a byte-order mark: every other byte of mostly Latin text is zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    if odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.4 and odd < half * 0.05 else None


def detect_encoding(path: Path) -> str:
    """The encoding of a text file, certain to read it to the end; BadInputError if it is binary or cannot be told."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return _held_to(path, name)
    wide = _without_mark(head)
    if wide is not None:
        return _held_to(path, wide)
    if b"\0" in head:
        raise BadInputError(f"{path.name} is a binary file, not a table of texts.", "Give a CSV or XLSX file.")
    if first_wrong_byte(path, "utf-8") is None:
        return "utf-8"
    return _guess(path)


def _held_to(path: Path, name: str) -> str:
    wrong = first_wrong_byte(path, name)
    if wrong is None:
        return name
    raise BadInputError(
        f"{path.name} begins as {name} but byte {wrong.value:#04x} at position {wrong.position} (line {wrong.line}) "
        "is not; nothing was loaded.",
        "The file is damaged or was put together from parts in different encodings: have it exported anew.",
    )


def _guess(path: Path) -> str:
    from charset_normalizer import from_bytes

    possible = [name for name in _CANDIDATES if first_wrong_byte(path, name) is None]
    best = from_bytes(_lines_beyond_ascii(path), cp_isolation=possible).best() if possible else None
    if best is None:
        wrong = first_wrong_byte(path, "utf-8")
        at = f" (not UTF-8 from byte {wrong.position}, line {wrong.line})" if wrong else ""
        raise BadInputError(f"The encoding of {path.name} cannot be told{at}.", _HOW_TO_SAY)
    return best.encoding
