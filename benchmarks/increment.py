"""What adding one day to the marts costs, behind a small and a tenfold history: the same day's rows behind both."""

import os
import resource
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import duckdb
import pyarrow.parquet as pq

from core.lake import LOAD_COLUMN, Load, completed_loads, load_file, load_files, new_load_id, record_load
from core.settings import Settings
from core.time import utc_now

Row = dict[str, object]

#: Histories in calls; the day is one of the smaller.
SIZES = {"small": (100_000, 1_000_000), "province": (1_000_000, 10_000_000)}
CALLS_PER_CUSTOMER = 3.85
#: Days are added one after the other; the first pays for what the machine has not cached yet.
DAYS = 3
_TABLES = ("contacts", "calls", "queue_visits", "call_segments", "agent_states", "tickets", "ticket_events")
_FOLDED = {"contacts": ("started_at", "ended_at"), "calls": ("started_at", "ended_at"),
           "queue_visits": ("entered_at", "exited_at", "ended_at"), "call_segments": ("started_at", "ended_at"),
           "agent_states": ("started_at", "ended_at"), "ticket_events": ("occurred_at",),
           "tickets": ("created_at", "first_response_at", "first_response_due_at", "resolved_at", "resolution_due_at",
                       "closed_at")}  # fmt: skip
_PARENTS = {"calls": ("contact_id", "contacts"), "queue_visits": ("contact_id", "contacts"),
            "call_segments": ("call_id", "calls"), "tickets": ("contact_id", "contacts"),
            "ticket_events": ("ticket_id", "tickets")}  # fmt: skip


def run(size: str) -> list[Row]:
    """Rows of name, value, unit, aim, note: seconds of a day's increment per history, and their ratio."""
    small, large = SIZES[size]
    contacts = int(small * 1.56 / 365)
    rows, seconds = [], {}
    for calls in (small, large):
        wall, cpu = _history(calls, contacts)
        seconds[calls] = wall
        label = f"increment of a day behind {calls / 1e6:g} M calls"
        rows.append(_row(label, wall, "s", note=f"{contacts:,} contacts; {cpu:.1f} s of CPU; median of {DAYS}"))
    return [*rows, _row("cost behind the tenfold history", seconds[large] / seconds[small], "×", "≤ 1.3")]


def _row(name: str, value: float, unit: str, aim: str = "", note: str = "") -> Row:
    return {"name": name, "value": value, "unit": unit, "aim": aim, "note": note}


def _history(calls: int, contacts: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder:
        settings = Settings(home=Path(folder) / "home")
        customers = max(int(calls / CALLS_PER_CUSTOMER), 1000)
        # Long enough ago that no added day lies ahead, which the lake's gate would set aside.
        until = (utc_now() - timedelta(days=2 * DAYS + 2)).date().isoformat()
        _crm(settings, "simulate", "--customers", str(customers), "--days", "365", "--calls-per-year",
             str(CALLS_PER_CUSTOMER), "--seed", "1", "--until", until, "--to", "lake", "--json")  # fmt: skip
        _crm(settings, "build")
        measured = []
        for number in range(DAYS):
            add_day(settings, contacts, days_on=number + 1)
            measured.append(_crm(settings, "build"))
        return sorted(measured)[DAYS // 2]


def _crm(settings: Settings, *arguments: str) -> tuple[float, float]:
    """Run one command in a process of its own: its seconds on the clock and on the processors."""
    started, before = perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "CRM_HOME": str(settings.home)}
    subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return perf_counter() - started, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def add_day(settings: Settings, contacts: int, *, days_on: int) -> None:
    """Enter a load: the history's latest contacts with all that belongs to them, again `days_on` days later."""
    lake, load_id = settings.lake, new_load_id()
    whole = completed_loads(lake)[0]
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for table in _TABLES:
            connection.read_parquet(list(map(str, load_files(lake, table, whole.load_id)))).create_view(table)
        shifts = {t: days_on * (_one(connection, f"select max(id) from {t}") + 1) for t in _TABLES}
        _choose(connection, contacts)
        rows = {}
        for table in _TABLES:
            values = [f"id + {shifts[table]} as id", f"'{load_id}' as {LOAD_COLUMN}"]
            # States two days on: the last of one day must not reach into the first of the next.
            days = days_on * (2 if table == "agent_states" else 1)
            values += [f"{name} + interval {days} day as {name}" for name in _FOLDED[table]]
            if table in _PARENTS:
                parent, of = _PARENTS[table]
                values.append(f"{parent} + {shifts[of]} as {parent}")
            values += {
                "contacts": [f"external_id || '+{days_on}' as external_id"],
                "tickets": [f"code || '+{days_on}' as code", "null::bigint as parent_id"],
                "call_segments": [f"visit_id + {shifts['queue_visits']} as visit_id"],
                "agent_states": ["null::bigint as call_id"],
            }.get(table, [])
            query = f"select * replace ({', '.join(values)}) from {table} where id in (select id from chosen_{table})"
            found = connection.sql(query).to_arrow_table()
            schema = pq.read_schema(lake / table / "_schema.parquet")
            path = load_file(lake, table, load_id, 0)
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(found.select(schema.names).cast(schema), path)
            rows[table] = found.num_rows
    now = utc_now().isoformat()
    record_load(lake, Load(load_id, whole.epoch, whole.store_id, 0, now, now, rows, follows=whole.load_id))


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    ((value,),) = connection.execute(query).fetchall()
    return int(value)


def _choose(connection: duckdb.DuckDBPyConnection, contacts: int) -> None:
    chosen = {
        "contacts": f"select id from contacts order by started_at desc limit {int(contacts)}",
        "calls": "select id from calls where contact_id in (from chosen_contacts)",
        "queue_visits": "select id from queue_visits where contact_id in (from chosen_contacts)",
        "call_segments": "select id from call_segments where call_id in (from chosen_calls)",
        # Whole agents of the last day, as many as such a day of the smaller history has.
        "agent_states": (
            "select id from agent_states where ended_at is not null"
            " and started_at >= (select max(started_at) from agent_states) - interval 1 day"
            f" order by agent_id, started_at limit {int(contacts) * 2}"
        ),
        "tickets": "select id from tickets where contact_id in (from chosen_contacts)",
        "ticket_events": "select id from ticket_events where ticket_id in (from chosen_tickets)",
    }
    for table, query in chosen.items():
        connection.execute(f"create temp table chosen_{table} as {query}")
