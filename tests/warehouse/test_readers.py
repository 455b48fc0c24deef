"""Readers in a loop while builds and publications run: no error, never a mix of two runs."""

import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

from core.scope import PROVINCE
from core.settings import Settings
from tests.warehouse.centre import MONDAY, Row, at
from tests.warehouse.lake import write_load
from tests.warehouse.quick import quick_build
from warehouse.kpi import kpi_table
from warehouse.publication import Publication, current
from warehouse.publish import publish
from warehouse.reader import Reader, open_reader

ROUNDS = 2 if not os.environ.get("CRM_TEST_FULL") else 10
#: Seconds between two looks: four readers that never pause leave the builds no processor.
PAUSE = 0.25 if not os.environ.get("CRM_TEST_FULL") else 0.05

#: The same question to four marts of one publication: each load adds one contact, so every run has its own answer.
QUESTION = """
select
  (select run_id from publication) as run_id,
  (select count(*) from fct_contact) as contacts,
  (select sum(contacts) from kpi_day) as of_days,
  (select sum(contacts) from kpi_half_hour) as of_halves
"""

_OTHER_PROCESS = textwrap.dedent("""
    import sys
    import time
    from pathlib import Path
    from core.settings import Settings
    from tests.warehouse.test_readers import PAUSE, look

    settings, stop = Settings(home=Path(sys.argv[1])), Path(sys.argv[2])
    runs = set()
    while not stop.exists():
        runs.add(look(settings))
        time.sleep(PAUSE)
    print(len(runs))
""")


def look(settings: Settings) -> str:
    """Ask the current publication by two ways; its run id, AssertionError if any answer is of another run."""
    publication = current(settings)
    reader: Reader = open_reader(publication, PROVINCE)
    row = reader.rows(QUESTION).iloc[0]
    contacts = publication.row_counts["fct_contact"]
    assert (row["run_id"], row["contacts"], row["of_days"], row["of_halves"]) == (
        publication.run_id, contacts, contacts, contacts,
    )  # fmt: skip
    assert kpi_table(reader, None, None, kpis=["contacts"])["contacts"].item() == contacts
    return publication.run_id


def another_contact(number: int) -> Row:
    start = at(MONDAY, "15:00:00")
    return {
        "id": 100 + number, "channel_code": "letter", "external_id": f"letter-{number}", "direction": "in",
        "started_at": start, "ended_at": start, "outcome": "other", "is_self_served": False, "source": "captured",
        "row_version": 100 + number,
    }  # fmt: skip


def test_readers_see_one_run_at_a_time(published_centre: tuple[Settings, Publication], tmp_path: Path) -> None:
    home, stop = tmp_path / "home", tmp_path / "stop"
    shutil.copytree(published_centre[0].home, home, ignore=shutil.ignore_patterns("temp"))
    settings = Settings(home=home)
    seen: set[str] = set()
    errors: list[BaseException] = []

    def read() -> None:
        while not stop.exists():
            try:
                seen.add(look(settings))
                time.sleep(PAUSE)
            except BaseException as error:  # noqa: BLE001 - told to the test's own thread
                errors.append(error)
                return

    threads = [threading.Thread(target=read) for _ in range(3)]
    other = subprocess.Popen(
        [sys.executable, "-c", _OTHER_PROCESS, str(home), str(stop)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        for thread in threads:
            thread.start()
        for number in range(ROUNDS):
            write_load(settings.lake, {"contacts": [another_contact(number)]})
            quick_build(settings)
            publish(settings)
            publish(settings)
    finally:
        stop.touch()
        for thread in threads:
            thread.join()
        printed, complaint = other.communicate(timeout=240)
    assert errors == []
    assert other.returncode == 0, complaint.decode()
    assert current(settings).row_counts["fct_contact"] == 12 + ROUNDS
    assert len(seen) > ROUNDS and int(printed) > ROUNDS
