"""The worked examples of docs/import.md do what the page says; --help points to it."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from core.database import make_engine
from core.settings import Settings
from ingestion.commands import import_
from ingestion.imports.mapping_file import load_mapping
from ingestion.imports.run import Summary, import_file

PAGE = Path(__file__).parents[2] / "docs" / "import.md"


def _example(kind: str, number: int) -> str:
    blocks = re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return str(blocks[number])


@pytest.mark.parametrize(
    ("number", "table", "codes", "reasons"),
    [
        (0, "external_id FROM contacts", ["neighbour:7001", "neighbour:7002"], {"unknown city": 1}),
        (1, "code FROM tickets", ["oldcrm:900", "oldcrm:901"], {"not a complaint": 1}),
    ],
)
def test_the_pages_examples_import_as_they_stand(
    sqlite_url: str, home: Settings, tmp_path: Path, number: int, table: str, codes: list[str], reasons: dict[str, int]
) -> None:
    (tmp_path / "some.csv").write_text(_example("csv", number), encoding="utf-8")
    (tmp_path / "some.yml").write_text(_example("yaml", number), encoding="utf-8")
    engine = make_engine(url=sqlite_url)
    summary: Summary = import_file(engine, home, load_mapping(tmp_path / "some.yml"), tmp_path / "some.csv")
    assert summary.reasons == reasons
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT {table} ORDER BY 1")).scalars().all() == codes


def test_help_points_to_the_page() -> None:
    told = CliRunner().invoke(import_, ["--help"]).output
    assert "docs/import.md" in told
    assert "docs/import.md" in CliRunner().invoke(import_, ["calls", "--help"]).output
