"""Notes and saved views: written on a page, kept by the CRM, shown to those who look."""

from collections.abc import Mapping
from typing import Any

import pytest

from core.errors import CrmError
from core.scope import PROVINCE
from dashboards import annotations, sign_in
from dashboards.crm import CrmUnreachableError
from dashboards.scope import Viewer
from tests.dashboards.test_pages import open_page


class Crm:
    """What the pages ask of the CRM, kept in memory."""

    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.error: CrmError | None = None

    def ask(self, viewer: Viewer, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """As dashboards.crm.ask."""
        if self.error:
            raise self.error
        kept = self.notes if "annotations" in path else self.views
        if method == "GET":
            return list(kept)
        if method == "POST":
            kept.append(dict(body or {}) | {"id": len(kept) + 1, "created_by": viewer.username})
        else:
            kept[:] = [row for row in kept if row["id"] != int(path.rpartition("/")[2])]
        return None


@pytest.fixture
def crm(published: object, monkeypatch: pytest.MonkeyPatch) -> Crm:
    """A CRM in memory, and the province's analyst signed in."""
    made = Crm()
    monkeypatch.setattr(annotations, "ask", made.ask)
    viewer = Viewer(PROVINCE, username="analyst", display_name="分析员")
    monkeypatch.setattr(sign_in, "signed_in", lambda: viewer)
    annotations._remembered.clear()
    return made


def test_a_note_is_written_shown_as_a_flag_and_removed(crm: Crm) -> None:
    app = open_page("overview", lang="en", period="last_7_days")
    app.text_input(key="note_text").set_value("Fibre cut")
    next(button for button in app.button if button.label == "Add").click().run()
    assert not app.exception
    assert [(row["unit"], row["text"]) for row in crm.notes] == [("province", "Fibre cut")]
    assert any("Fibre cut" in each.value for each in app.text)
    app.button(key="note_1").click().run()
    assert crm.notes == [] and not app.exception


def test_a_view_is_kept_with_the_pages_filters(crm: Crm) -> None:
    app = open_page("overview", lang="en", period="last_7_days", city="xian")
    app.text_input(key="view_name").set_value("weekly")
    next(button for button in app.button if button.label == "Save this page").click().run()
    assert not app.exception
    assert crm.views[0]["name"] == "weekly" and crm.views[0]["page"] == "overview"
    assert crm.views[0]["params"] == {"lang": "en", "period": "last_7_days", "compare": "previous", "city": "xian"}
    assert app.button(key="view_1").label == "weekly"
    app.button(key="forget_1").click().run()
    assert crm.views == []


def test_what_is_written_is_seen_whatever_other_tabs_were_told_before(crm: Crm) -> None:
    first, second = open_page("overview", lang="en"), open_page("overview", lang="en")
    for app, words in ((first, "one"), (second, "two")):
        app.text_input(key="note_text").set_value(words)
        app.button(key="note_send").click().run()
        assert any(words in each.value for each in app.text)


def test_without_the_crm_the_pages_figures_are_there_and_it_is_told(crm: Crm) -> None:
    crm.error = CrmUnreachableError("The CRM does not answer.", "Start it.")
    app = open_page("overview", lang="en")
    assert not app.exception and len(app.metric) == 8
    assert any("notes cannot be seen" in each.value for each in app.warning)
