"""Wrong settings and damaged pointers are told in words, whichever command meets them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def _crm(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env={name: value for name, value in os.environ.items() if name != "CRM_DATABASE_URL"} | variables,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "variables", "told"),
    [
        ("kpi", {"CRM_LANGUAGE": "xx"}, "CRM_LANGUAGE is 'xx'"),
        ("kpi", {"CRM_SERVICE_LEVEL_SECONDS": "0"}, "CRM_SERVICE_LEVEL_SECONDS is '0'"),
        ("init", {"CRM_DATABASE_URL": "rubbish"}, "CRM_DATABASE_URL is not a database URL"),
        ("init", {"CRM_DATABASE_URL": "mysql://a/b"}, "the store is SQLite or PostgreSQL"),
        ("init", {"CRM_DATABASE_URL": "sqlite:////proc/x/y.db"}, "cannot be made"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, command: str, variables: dict[str, str], told: str) -> None:
    done = _crm(command, **({"CRM_HOME": str(tmp_path)} | variables))
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["init"], ["build"], ["publish"], ["kpi"], ["ingest"]])
def test_a_home_that_is_a_file_is_named(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "home").write_text("")
    done = _crm(*command, CRM_HOME=str(tmp_path / "home"))
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "CRM_HOME is" in done.stderr
    assert "a file is there" in done.stderr


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_damaged_pointer_says_how_to_mend_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "CURRENT.json").write_text(content)
    done = _crm("kpi", CRM_HOME=str(tmp_path))
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "crm publish --restore" in done.stderr
