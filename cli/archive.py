"""One file that holds an installation: a tar with a manifest of every file's size and SHA-256, whole or absent."""

import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from core.errors import BadInputError
from core.files import sync_folder

MANIFEST = "manifest.json"
#: Raised when the layout of archives changes.
FORMAT = 1


class DamagedArchiveError(BadInputError):
    """An archive that is not what was written."""


@dataclass(frozen=True)
class Manifest:
    """What an archive holds. `files`: path → (bytes, SHA-256); `rows` a store table; `figures`: KPIs of all data."""

    made_at: str
    version: str
    store: str
    revision: str
    epoch: int
    run_id: str | None
    rows: dict[str, int]
    figures: dict[str, float | None]
    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    format: int = FORMAT


class _Hashing:
    """Hashes what is read through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self.digest.update(content)
        return content


def write_archive(target: Path, files: Iterable[tuple[str, Path]], manifest: Manifest) -> Manifest:
    """Write the files (name in the archive, file) and their manifest; only its owner may read it.

    Returns:
        The manifest with its files.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        # Parquet, DuckDB and pg_dump are compressed already: a higher level costs time and saves nothing.
        with os.fdopen(handle, "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=1) as tar:
                for name, path in files:
                    manifest.files[name] = _add(tar, name, path)
                content = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
                entry = tarfile.TarInfo(MANIFEST)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
            raw.flush()
            os.fsync(raw.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return manifest


def _add(tar: tarfile.TarFile, name: str, path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        entry = tarfile.TarInfo(name)
        status = os.fstat(file.fileno())
        entry.size, entry.mtime, entry.mode = status.st_size, int(status.st_mtime), status.st_mode & 0o777
        hashing = _Hashing(file)
        tar.addfile(entry, hashing)
    return entry.size, hashing.digest.hexdigest()


def unpack(archive: Path, folder: Path) -> Manifest:
    """Unpack an archive into an empty folder and verify every file.

    Raises:
        DamagedArchiveError: it is cut, altered, or no archive of ours; names the file.
        BadInputError: it was written by a newer program, or there is no such file.
    """
    found: dict[str, tuple[int, str]] = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for entry in tar:
                found[entry.name] = _take(tar, entry, folder)
    except FileNotFoundError as error:
        raise BadInputError(f"There is no archive {archive}.", "Name a file that crm backup wrote.") from error
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise DamagedArchiveError(
            f"{archive} is damaged: {error}.", "Take another backup; nothing was changed."
        ) from error
    manifest = _manifest(archive, folder)
    del found[MANIFEST]
    for name in sorted(set(found) | set(manifest.files)):
        if found.get(name) != manifest.files.get(name):
            raise DamagedArchiveError(
                f"{archive} is damaged: {name} is not what was written.", "Take another backup; nothing was changed."
            )
    return manifest


def _take(tar: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> tuple[int, str]:
    source = tar.extractfile(entry)
    target = (folder / entry.name).resolve()
    if source is None or not target.is_relative_to(folder.resolve()):
        raise tarfile.TarError(f"{entry.name} is no file of a backup")
    target.parent.mkdir(parents=True, exist_ok=True)
    hashing = _Hashing(source)
    with target.open("wb") as file:
        while content := hashing.read(1 << 20):
            file.write(content)
    target.chmod(entry.mode & 0o777)
    return entry.size, hashing.digest.hexdigest()


def _manifest(archive: Path, folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] > FORMAT:
            raise BadInputError(f"{archive} was written by a newer program.", "Restore it with that program.")
        content["files"] = {name: (size, digest) for name, (size, digest) in content["files"].items()}
        manifest = Manifest(**content)
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise DamagedArchiveError(
            f"{archive} holds no readable manifest.", "Name a file that crm backup wrote."
        ) from error
    path.unlink()
    return manifest
