"""What may be attached: by the name's ending, the type that its sender claims, and above all its content."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from zipfile import BadZipFile, ZipFile

import filetype

from crm_api.errors import InvalidError

#: How many files a ticket or a contact holds.
MOST_FILES = 50
_LONGEST_NAME = 120
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_MARKUP = re.compile(r"^\s*(<!doctype|<html|<script|<svg|<\?xml|#!)", re.IGNORECASE)
#: Control characters that no text holds (tab, line feed, form feed, carriage return and escape aside).
_BINARY = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_UNWANTED = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')


@dataclass(frozen=True)
class Kind:
    """A kind of file that may be attached: what it is served as, and whether bytes are of it."""

    media_type: str
    holds: Callable[[bytes], bool]


def _sniffed(*media_types: str) -> Callable[[bytes], bool]:
    def check(content: bytes) -> bool:
        found = filetype.guess(content)
        return found is not None and found.mime in media_types

    return check


def _office(folder: str) -> Callable[[bytes], bool]:
    """An Office Open XML document of this kind, without macros."""

    def check(content: bytes) -> bool:
        try:
            with ZipFile(BytesIO(content)) as archive:
                names = archive.namelist()
        except (BadZipFile, ValueError, NotImplementedError, OSError):
            return False
        whole = "[Content_Types].xml" in names and any(name.startswith(f"{folder}/") for name in names)
        return whole and not any(name.lower().endswith("vbaproject.bin") for name in names)

    return check


def _old_office(stream: str) -> Callable[[bytes], bool]:
    """A document of Office 97–2003 with this stream, without macros."""
    wanted, macros = stream.encode("utf-16-le"), "_VBA_PROJECT".encode("utf-16-le")

    def check(content: bytes) -> bool:
        return content.startswith(_OLE) and wanted in content and macros not in content

    return check


def _is_text(content: bytes) -> bool:
    """Text in UTF-8 or GB 18030, no markup that a browser would run, no control characters."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return not _BINARY.search(text) and not _MARKUP.match(text) and filetype.guess(content) is None
    return False


_JPEG = Kind("image/jpeg", _sniffed("image/jpeg"))
_TIFF = Kind("image/tiff", _sniffed("image/tiff"))
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
#: By the name's ending.
KINDS: dict[str, Kind] = {
    "jpg": _JPEG,
    "jpeg": _JPEG,
    "png": Kind("image/png", _sniffed("image/png")),
    "gif": Kind("image/gif", _sniffed("image/gif")),
    "webp": Kind("image/webp", _sniffed("image/webp")),
    "bmp": Kind("image/bmp", _sniffed("image/bmp")),
    "tif": _TIFF,
    "tiff": _TIFF,
    "heic": Kind("image/heic", _sniffed("image/heic")),
    "pdf": Kind("application/pdf", _sniffed("application/pdf")),
    "docx": Kind(_WORD, _office("word")),
    "xlsx": Kind(_SHEET, _office("xl")),
    "pptx": Kind(_SLIDES, _office("ppt")),
    "doc": Kind("application/msword", _old_office("WordDocument")),
    "xls": Kind("application/vnd.ms-excel", _old_office("Workbook")),
    "mp3": Kind("audio/mpeg", _sniffed("audio/mpeg")),
    "wav": Kind("audio/x-wav", _sniffed("audio/x-wav")),
    "ogg": Kind("audio/ogg", _sniffed("audio/ogg")),
    "m4a": Kind("audio/mp4", _sniffed("audio/mp4")),
    "mp4": Kind("video/mp4", _sniffed("video/mp4", "video/x-m4v")),
    "txt": Kind("text/plain", _is_text),
    "csv": Kind("text/csv", _is_text),
}


def clean_name(name: str) -> str:
    """A file's name without its folders, without control and direction characters, short, its ending kept.

    Raises:
        InvalidError: nothing is left of it.
    """
    base = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(
        sign for sign in base if unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    )
    shown = re.sub(r"\s+", " ", _UNWANTED.sub("_", shown)).strip(" .")
    stem, dot, ending = shown.rpartition(".")
    if not dot or not stem.strip(" ."):
        raise InvalidError("The file's name has no ending, or nothing before it.", f"Name it like photo.{_ENDINGS[0]}.")
    return f"{stem[: _LONGEST_NAME - len(ending) - 1]}.{ending}" if len(shown) > _LONGEST_NAME else shown


_ENDINGS = tuple(KINDS)


def check_content(name: str, content: bytes, *, declared: str | None, largest: int) -> str:
    """The media type to serve the file as; `name` is clean, `declared` what its sender says it is.

    Raises:
        InvalidError: it is empty, too large, of no allowed kind, or not what it claims to be.
    """
    if not content:
        raise InvalidError(f"The file {name} is empty.", "Choose another.")
    if len(content) > largest:
        raise InvalidError(
            f"The file {name} has {len(content):,} bytes; {largest:,} are allowed.", "Make it smaller, or split it."
        )
    ending = name.rpartition(".")[2].lower()
    kind = KINDS.get(ending)
    if kind is None:
        raise InvalidError(f"Files of type .{ending} are not taken.", f"Take one of: {', '.join(_ENDINGS)}.")
    if not kind.holds(content):
        found = filetype.guess(content)
        known = f"The file {name} is not what its name says: its content is {found.mime}." if found else ""
        raise InvalidError(
            known or f"The file {name} is not what its name says.",
            "Send it with its true ending; documents with macros are not taken.",
        )
    if not _agrees(declared, kind.media_type):
        raise InvalidError(f"The file {name} was sent as {declared}, but is {kind.media_type}.", "Send its true type.")
    return kind.media_type


def _agrees(declared: str | None, actual: str) -> bool:
    """Whether what the sender claims is of the same family; browsers name documents and tables in many ways."""
    claimed = (declared or "").partition(";")[0].strip().lower()
    if claimed in ("", "application/octet-stream", "binary/octet-stream", actual):
        return True
    family, truth = claimed.partition("/")[0], actual.partition("/")[0]
    media = ("audio", "video")
    if truth in (*media, "image"):
        return family == truth or (family in media and truth in media)
    return family == "application" or family == truth
