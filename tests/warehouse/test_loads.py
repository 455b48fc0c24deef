"""Several loads in the lake: which version of a row the marts show."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from core.scope import PROVINCE
from core.settings import Settings
from core.time import utc_now
from tests.warehouse.centre import MONDAY, Centre, Row, at
from tests.warehouse.lake import Rows, write_load
from tests.warehouse.quick import quick_build
from warehouse.publication import Publication
from warehouse.publish import publish
from warehouse.reader import open_reader


def contact(number: int, service_type: str, version: int, **values: object) -> Row:
    start = at(MONDAY, "09:00:00")
    return {
        "id": number, "channel_code": "voice", "external_id": f"call-{number}", "direction": "in", "started_at": start,
        "ended_at": start + timedelta(minutes=1), "outcome": "answered", "is_self_served": False, "source": "captured",
        "service_type_code": service_type, "row_version": version,
    } | values  # fmt: skip


def shown(publication: Publication) -> dict[int, str]:
    rows = open_reader(publication, PROVINCE).rows("select contact_key, service_type_code from fct_contact order by 1")
    return dict(zip(rows["contact_key"], rows["service_type_code"], strict=True))


@pytest.fixture(scope="module")
def publications(
    tmp_path_factory: pytest.TempPathFactory, reference: dict[str, Rows]
) -> Iterator[Callable[[], Publication]]:
    settings = Settings(home=tmp_path_factory.mktemp("loads") / "home")
    base = Centre(reference).rows
    erased = utc_now()
    write_load(settings.lake, {**base, "contacts": [contact(n, "query", 1) for n in (1, 2, 3, 4)]})
    changed = [
        contact(2, "order", 5),
        contact(3, "query", 6, deleted_at=erased),
        # At-least-once delivery: the same row twice, and twice in different versions.
        contact(5, "order", 7),
        contact(5, "order", 7),
        contact(6, "query", 8),
        contact(6, "complaint", 9),
    ]
    write_load(settings.lake, {"contacts": changed})
    # A later load brings an older row version again: on PostgreSQL versions need not rise with commits.
    write_load(settings.lake, {"contacts": [contact(4, "suggestion", 1)]})
    write_load(settings.lake, {"contacts": [contact(1, "complaint", 99)]}, complete=False)
    yield lambda: _publish(settings)


def _publish(settings: Settings) -> Publication:
    quick_build(settings)
    return publish(settings)


def test_the_newest_completed_load_of_the_newest_epoch_counts(
    publications: Callable[[], Publication], reference: dict[str, Rows]
) -> None:
    first = publications()
    assert shown(first) == {1: "query", 2: "order", 4: "suggestion", 5: "order", 6: "complaint"}
    # The store was restored from a backup in which contact 2 was as before and 5 and 6 had never been.
    lake = first.file.parent.parent / "lake"
    write_load(lake, {**reference, "contacts": [contact(n, "fee_query", 1) for n in (1, 2)]}, epoch=2)
    # A load of the old epoch that ends late changes nothing.
    write_load(lake, {"contacts": [contact(1, "order", 99), contact(7, "order", 99)]}, epoch=1)
    assert shown(publications()) == {1: "fee_query", 2: "fee_query"}
