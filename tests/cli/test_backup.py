"""Backup, destroy, restore: the same figures, on SQLite and PostgreSQL; a damaged archive is refused by name."""

import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from cli.backup import DrillFailedError, backup, drill, restore
from cli.main import crm
from core.database import make_engine
from core.errors import BadInputError, CrmError
from core.lake import newest_load
from core.settings import Settings, get_settings
from crm_api.contacts.models import Contact
from tests.warehouse.quick import quick


def run(*arguments: str) -> str:
    done = CliRunner().invoke(crm, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def figures() -> Any:
    return json.loads(run("kpi", "--by", "channel,city", "--json"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def installation(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A home with a simulated store, its published marts and an attachment."""
    monkeypatch.setenv("CRM_HOME", str(tmp_path / "home"))
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    monkeypatch.setenv("CRM_DATABASE_URL", url)
    get_settings.cache_clear()
    if not url:
        run("init")
    run("simulate", "--customers", "300", "--days", "3", "--seed", "5")
    with quick():
        run("pipeline")
    attachment = tmp_path / "home" / "attachments" / "ab" / "letter"
    attachment.parent.mkdir(parents=True)
    attachment.write_bytes(b"letter")
    yield get_settings()
    get_settings.cache_clear()


def destroy(settings: Settings) -> None:
    shutil.rmtree(settings.home)
    if settings.database_url:
        engine = make_engine(settings)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()


def contacts(settings: Settings) -> list[Any]:
    engine = make_engine(settings)
    with engine.connect() as connection:
        rows = connection.execute(select(Contact.__table__).order_by(Contact.id)).all()
    engine.dispose()
    return list(rows)


def test_after_a_loss_everything_is_back_with_the_same_figures(installation: Settings, tmp_path: Path) -> None:
    before, told, epoch = contacts(installation), figures(), newest_load(installation.lake)
    written = backup(installation, tmp_path / "safe")
    assert written.file.stat().st_mode & 0o077 == 0
    assert drill(written.file, installation).rows == written.rows
    assert contacts(installation) == before
    with pytest.raises(CrmError, match="is not empty: the store, lake, published, attachments"):
        restore(written.file, installation)

    destroy(installation)
    restore(written.file, installation)
    assert contacts(installation) == before and figures() == told
    assert (installation.home / "attachments" / "ab" / "letter").read_bytes() == b"letter"
    with quick():
        run("pipeline")
    newest = newest_load(installation.lake)
    assert epoch and newest and newest.epoch == epoch.epoch + 1
    assert figures() == told

    # What came after the backup goes when it is restored over it.
    (installation.home / "attachments" / "later").write_bytes(b"later")
    restore(written.file, installation, force=True)
    assert not (installation.home / "attachments" / "later").exists() and contacts(installation) == before
    assert [path.name for path in installation.home.glob(".*")] == []


@pytest.fixture
def archive(home: Settings, sqlite_template: Path) -> Path:
    """An archive of a store without lake or marts."""
    (home.home / "store").mkdir(parents=True)
    shutil.copy(sqlite_template, home.home / "store" / "crm.sqlite")
    return backup(home).file


def rewritten(archive: Path, name: str, content: bytes | None) -> Path:
    """The archive with one file's content replaced, or left out."""
    folder = archive.parent / "inside"
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    path = folder / name
    path.unlink() if content is None else path.write_bytes(content)
    altered = archive.with_name("altered.tar.gz")
    with tarfile.open(altered, "w:gz") as tar:
        for each in sorted(folder.rglob("*")):
            if each.is_file():
                tar.add(each, str(each.relative_to(folder)))
    shutil.rmtree(folder)
    return altered


def test_a_damaged_archive_is_refused_by_name_and_changes_nothing(archive: Path, tmp_path: Path) -> None:
    target = Settings(home=tmp_path / "new")
    cut = archive.with_name("cut.tar.gz")
    cut.write_bytes(archive.read_bytes()[:-2000])
    flipped = bytearray(archive.read_bytes())
    flipped[len(flipped) // 2] ^= 0xFF
    bent = archive.with_name("bent.tar.gz")
    bent.write_bytes(flipped)
    altered = rewritten(archive, "store/crm.sqlite", b"another store")
    for damaged, words in ((cut, "damaged"), (bent, "damaged"), (altered, "store/crm.sqlite is not what was written")):
        with pytest.raises(BadInputError, match=words) as told:
            restore(damaged, target)
        assert damaged.name in str(told.value)
        assert list(target.home.iterdir()) == []
    with pytest.raises(BadInputError, match="holds no readable manifest"):
        restore(rewritten(archive, "manifest.json", None), target)
    with pytest.raises(BadInputError, match="There is no archive"):
        restore(tmp_path / "none.tar.gz", target)


def test_the_drill_notices_what_a_checksum_cannot(archive: Path, home: Settings) -> None:
    with tarfile.open(archive) as tar:
        manifest = json.loads(tar.extractfile("manifest.json").read())  # type: ignore[union-attr]  # it is a file
    manifest["rows"]["channels"] += 1
    lying = rewritten(archive, "manifest.json", json.dumps(manifest).encode())
    with pytest.raises(DrillFailedError, match="other rows: channels: 10 → 9"):
        drill(lying, home)
    assert [path.name for path in home.home.glob(".*")] == []


def test_an_archive_does_not_reach_outside_its_folder(archive: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil.tar.gz"
    with tarfile.open(evil, "w:gz") as tar:
        tar.add(archive, "../../outside")
    with pytest.raises(BadInputError, match="is no file of a backup"):
        restore(evil, Settings(home=tmp_path / "a" / "b"))
    assert not (tmp_path / "outside").exists() and not (tmp_path / "a" / "outside").exists()
