"""A file copied in the background is the same file, whichever way the file system lets it go."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from warehouse import copying as module
from warehouse.copying import copying
from warehouse.dbt_run import environment


def _refuses(*_: Any) -> int:
    raise OSError(errno.EXDEV, "not across file systems")


@pytest.mark.parametrize("size", [0, 1, 70_001])
@pytest.mark.parametrize("within_kernel", [True, False])
def test_a_copy_is_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, within_kernel: bool) -> None:
    monkeypatch.setattr(module, "_CHUNK_BYTES", 1000)
    if not within_kernel:
        monkeypatch.setattr(os, "copy_file_range", _refuses)
    (tmp_path / "a").write_bytes(os.urandom(size))
    with copying(tmp_path / "a", tmp_path / "b") as copied:
        copied.result()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "copy_file_range", full)
    (tmp_path / "a").write_bytes(b"a")
    with copying(tmp_path / "a", tmp_path / "b") as copied, pytest.raises(OSError, match="No space left"):
        copied.result()


@pytest.mark.parametrize(("limit", "kept"), [("6GB", "3GB"), ("1.5 gib", "0.75gib"), ("80%", "0B"), ("all", "0B")])
def test_half_of_a_build_s_memory_is_kept_between_its_queries(tmp_path: Path, limit: str, kept: str) -> None:
    assert environment(Settings(home=tmp_path, duckdb_memory=limit))["CRM_DUCKDB_KEPT"] == kept
