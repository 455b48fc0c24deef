"""What leaves as CSV or XLSX holds no formula, whatever stands in any of its text fields."""

import csv
import io
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine, select, update

import core
from core.database import session_scope
from core.spreadsheet import FORMULA_STARTS
from crm_api.campaigns.models import Campaign, Offer
from crm_api.campaigns.settings import campaign_settings
from crm_api.organisation.models import OrgUnit
from tests.crm_api.conftest import Client
from tests.crm_api.test_campaigns import add, build, campaign, run
from tests.crm_api.world import World

_ROOT = Path(core.__file__).parent.parent
_WRITERS = ("csv.writer", "xlsxwriter", "to_csv(", "to_excel(", "DictWriter")
#: Strings as strings only, tested in tests/reports; calls dashboards.downloads.
_OTHERWISE = {"reports/workbook.py", "dashboards/cards.py"}


@pytest.fixture
def exported(populated: tuple[Engine, World], monkeypatch: pytest.MonkeyPatch) -> int:
    """An approved campaign whose customers, branch and offer are all named with formulas."""
    monkeypatch.setattr(campaign_settings(), "global_holdout_percent", 0)
    with session_scope(populated[0]) as session:
        for number, start in enumerate(FORMULA_STARTS, start=500):
            add(session, number, name=f'{start}HYPERLINK("http://evil.example")', code=f"{start}K{number}")
        made = campaign(session, code="=cmd")
        build(session, made)
        run(session, made)
        session.execute(update(OrgUnit).where(OrgUnit.code == "baoji").values(name_zh="=1+1"))
        session.execute(update(Offer).values(name_zh="@SUM(1)"))
        return session.scalars(select(Campaign.id).where(Campaign.id == made.id)).one()


@pytest.mark.parametrize("reason", [None, "外包呼叫"])
def test_no_text_of_a_list_is_a_formula(client: Client, exported: int, reason: str | None) -> None:
    supervisor, path = client("supervisor"), f"/api/v1/campaigns/{exported}/export"
    answer = supervisor.post(path, json={"format": "csv", "reason": reason})
    assert answer.status_code == 200, answer.text
    cells = [cell for row in csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))) for cell in row]
    assert len(cells) > 13 * len(FORMULA_STARTS)
    assert sum(cell.startswith("'") for cell in cells) >= 3 * len(FORMULA_STARTS)
    assert not [cell for cell in cells if cell.startswith(FORMULA_STARTS)]
    book = load_workbook(io.BytesIO(supervisor.post(path, json={"format": "xlsx", "reason": reason}).content))
    found = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert len(found) > 13 * len(FORMULA_STARTS) - 20
    assert not [cell for cell in found if cell.data_type == "f" or cell.hyperlink]
    assert not [cell.value for cell in found if isinstance(cell.value, str) and cell.value.startswith(FORMULA_STARTS)]


def test_whoever_writes_a_table_for_spreadsheets_makes_it_harmless() -> None:
    packages = ("core", "crm_api", "warehouse", "reports", "dashboards", "ml", "telephony", "ingestion", "cli")
    writing = {
        str(file.relative_to(_ROOT)): "harmless(" in text or "harmless)" in text or "harmless," in text
        for package in packages
        for file in (_ROOT / package).rglob("*.py")
        if any(writer in (text := file.read_text(encoding="utf-8")) for writer in _WRITERS)
    }
    assert {file for file, is_harmless in writing.items() if not is_harmless} <= _OTHERWISE
