"""`make bench` times what the pages really ask."""

import pytest

from benchmarks import pages
from core.settings import Settings, get_settings

#: One that draws many figures, one that drills, one of lists.
PAGES = ("overview", "complaint_type", "data_quality")
#: What the frame asks on every page: the days and the units.
FRAME = 2


def test_every_page_is_timed_by_its_own_queries(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "REPEATS", 2)
    # The made marts hold what these pages ask.
    monkeypatch.setattr(pages, "PAGES", PAGES)
    rows = pages.page_rows(published.home, "a little")
    for page in PAGES:
        named = {str(row["name"]): row for row in rows if str(row["name"]).startswith(f"page {page}, ")}
        assert {f"page {page}, queries p50 at a little", f"page {page}, queries p95 at a little"} <= set(named)
        assert all(float(str(row["value"])) > 0 and row["unit"] == "ms" for row in named.values())
        asked = str(named[f"page {page}, queries p50 at a little"]["note"])
        assert int(asked.split()[0]) > FRAME, "a page asks more than its frame"
    assert get_settings().home == published.home
