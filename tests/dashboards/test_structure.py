"""The rules that keep pages small, and the server to itself."""

import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from core.errors import BadInputError
from dashboards.server import address_of, free_port, options
from tests.servers import free_port as any_free_port

FOLDER = Path(__file__).parents[2] / "dashboards"
ROOT_PACKAGES = {path.parent.name for path in FOLDER.parent.glob("*/__init__.py")}
SQL = re.compile(r"\b(select|insert|update|delete)\b.+\b(from|into|set)\b", re.IGNORECASE | re.DOTALL)
PAGES = sorted((FOLDER / "views").glob("[a-z]*.py"))


def test_there_are_the_four_pages() -> None:
    names = {page.stem for page in PAGES}
    assert names >= {"overview", "access_channel", "complaint_type", "seat_utilisation"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_short_and_has_no_sql(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 100
    assert not SQL.search(text)


def test_no_module_hides_another_when_streamlit_puts_the_folder_first_on_the_path() -> None:
    ours = {path.stem for path in FOLDER.glob("*.py")} | {path.name for path in FOLDER.iterdir() if path.is_dir()}
    ours -= {"__init__", "__pycache__"}
    assert not ours & (ROOT_PACKAGES | set(sys.stdlib_module_names) | set(packages_distributions()))


def test_queries_carry_no_scope_clause_and_name_no_schema() -> None:
    for query in (FOLDER / "queries").glob("*.sql"):
        text = query.read_text(encoding="utf-8")
        assert "scope" not in text and "marts." not in text, query.name


def test_the_server_reports_nothing_and_listens_where_it_is_told() -> None:
    chosen = options("127.0.0.1", 8501)
    assert chosen["browser_gatherUsageStats"] is False
    assert chosen["client_toolbarMode"] == "minimal"
    assert chosen["server_headless"] is True
    assert (chosen["server_address"], chosen["server_port"]) == ("127.0.0.1", 8501)
    assert not re.search(r"https?://", (FOLDER / "streamlit.toml").read_text(encoding="utf-8"))


def test_a_taken_port_gives_way_to_the_next_free_one() -> None:
    import socket

    wanted = any_free_port()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", wanted))
        holder.listen()
        assert wanted < free_port("127.0.0.1", wanted) < wanted + 50
    assert free_port("127.0.0.1", wanted) == wanted


def test_a_host_that_is_not_ours_is_told() -> None:
    with pytest.raises(BadInputError, match=r"203\.0\.113\.1"):
        free_port("203.0.113.1", 8501)


def test_addresses_can_be_typed_into_a_browser() -> None:
    assert address_of("127.0.0.1", 1) == "http://127.0.0.1:1"
    assert address_of("0.0.0.0", 1) == "http://127.0.0.1:1"
    assert address_of("::1", 1) == "http://[::1]:1"
