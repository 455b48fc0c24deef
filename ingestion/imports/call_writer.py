"""Accepted calls go to the store: contacts, calls, queue visits, segments, and who took part."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from ingestion.imports.batch import Batch, Flags, Instants, Objects, is_none, looked_up, only_where
from ingestion.imports.bulk import Loader, ids_by_key
from ingestion.imports.calls import CallRows, read_calls
from ingestion.imports.directory import CALLS, CONTACTS, SEGMENTS, VISITS, Directory
from ingestion.imports.instants import TimeReader
from ingestion.imports.mapping import Mapping
from ingestion.imports.rejects import Refused

_SECOND = np.timedelta64(1_000_000, "us")
Ids = npt.NDArray[np.int64]


@dataclass
class _Chosen:
    """The rows to write, and the ids they get."""

    rows: CallRows
    place: npt.NDArray[np.intp]
    contacts: Ids
    calls: Ids
    agents: Objects

    def text(self, name: str) -> Objects:
        return self.rows.texts[name][self.place]

    def given(self, name: str, otherwise: str) -> Objects:
        values = self.text(name)
        return np.where(is_none(values), otherwise, values)


class CallImport:
    """Reads and writes the calls of one source, batch by batch."""

    def __init__(self, directory: Directory, mapping: Mapping) -> None:
        self.directory = directory
        self.mapping = mapping
        self.source = mapping.source

    def read(self, batch: Batch, times: TimeReader) -> CallRows:
        """The batch as calls; rows with a fault are refused with the reason."""
        return read_calls(batch, self.mapping, self.directory, times)

    def told(self, rows: CallRows) -> Refused:
        """What is known of the rows should they be refused."""
        units = looked_up(rows.texts["unit"], self.directory.units)
        return Refused(rows.contact_start, rows.texts["channel"], rows.texts["service_type"], units)

    def present(self, connection: Connection, rows: CallRows, keys: Objects) -> set[str]:
        """Keys whose contact the store holds."""
        channels = sorted({code for code in rows.texts["channel"] if code is not None})
        ids = [f"{self.source}:{key}" for key in keys]
        found = ids_by_key(connection, CONTACTS, "external_id", ids, channel_code=channels)
        return {external_id.removeprefix(f"{self.source}:") for external_id in found}

    def write(self, loader: Loader, rows: CallRows, keys: Objects, wanted: Flags) -> None:
        """Insert the wanted rows; the store does not hold them yet."""
        place = np.flatnonzero(wanted)
        external_ids = np.array([f"{self.source}:{key}" for key in keys[place]], dtype=object)
        chosen = _Chosen(
            rows,
            place,
            contacts=loader.reserve(CONTACTS, len(place)),
            calls=loader.reserve(CALLS, len(place)),
            agents=self._agents(loader, rows, place),
        )
        start = rows.contact_start[place]
        end = np.fmax(start, rows.ended[place])
        self._insert_contacts(loader, chosen, external_ids, start, end)
        ivr = rows.ivr.lengths[place] / _SECOND if rows.ivr else np.zeros(len(place))
        loader.insert(
            CALLS,
            {
                "id": chosen.calls,
                "contact_id": chosen.contacts,
                "called_number": chosen.text("called_number"),
                "started_at": start,
                "ended_at": end,
                "ivr_seconds": ivr,
            },
        )
        visits = self._insert_visits(loader, chosen)
        _insert_segments(loader, chosen, visits)

    def _agents(self, loader: Loader, rows: CallRows, place: npt.NDArray[np.intp]) -> Objects:
        codes = only_where(rows.answered[place], rows.texts["agent"][place])
        named = zip(codes, rows.texts["agent_name"][place], strict=True)
        return looked_up(codes, self.directory.agent_ids(loader, {c: name or c for c, name in named if c is not None}))

    def _insert_contacts(
        self, loader: Loader, chosen: _Chosen, external_ids: Objects, start: Instants, end: Instants
    ) -> None:
        columns: dict[str, npt.NDArray[Any]] = {
            "id": chosen.contacts,
            "channel_code": chosen.text("channel"),
            "external_id": external_ids,
            "direction": chosen.given("direction", "in"),
            "customer_id": self.directory.customers(
                loader, chosen.text("customer"), chosen.text("customer_level"), start
            ),
            "unit_id": looked_up(chosen.text("unit"), self.directory.units),
            "service_type_code": chosen.text("service_type"),
            "product_code": chosen.text("product"),
            "agent_id": chosen.agents,
            "started_at": start,
            "ended_at": end,
            "outcome": chosen.text("outcome"),
            "block_reason": chosen.text("block_reason"),
            "remote_address": chosen.text("caller"),
            "data_flag": chosen.rows.flags[chosen.place],
            "source": np.full(len(start), self.source, dtype=object),
        }
        loader.insert(CONTACTS, columns)

    def _queues(self, loader: Loader, names: Objects) -> Ids:
        unnamed = is_none(names)
        ids = self.directory.queue_ids(loader, set(names[~unnamed]))
        result = np.zeros(len(names), dtype=np.int64)
        result[~unnamed] = [ids[name] for name in names[~unnamed]]
        if unnamed.any():
            result[unnamed] = self.directory.default_queue(loader)
        return result

    def _insert_visits(self, loader: Loader, chosen: _Chosen) -> Objects:
        """Insert the queue visits; the id of each row's visit, None where there is none."""
        rows, place = chosen.rows, chosen.place
        visited = rows.visited[place]
        queued = place[visited]
        ids = loader.reserve(VISITS, len(queued))
        entered, exited = rows.wait.start[queued], rows.wait.end[queued]
        spoke_until = rows.spoke_until[queued]
        loader.insert(
            VISITS,
            {
                "id": ids,
                "contact_id": chosen.contacts[visited],
                "visit_number": np.ones(len(queued), dtype=np.int64),
                "queue_id": self._queues(loader, rows.texts["queue"][queued]),
                "entered_at": entered,
                "exited_at": exited,
                "exit_class": rows.texts["exit_class"][queued],
                "agent_id": chosen.agents[visited],
                "ended_at": np.where(rows.answered[queued], np.fmax(exited, spoke_until), np.datetime64("NaT")),
            },
        )
        result: Objects = np.full(len(place), None, dtype=object)
        result[visited] = ids
        return result


def _insert_segments(loader: Loader, chosen: _Chosen, visits: Objects) -> None:
    rows, place = chosen.rows, chosen.place
    parts, number = [], np.zeros(len(place), dtype=np.int64)
    for kind, stretch in rows.segments():
        exists = stretch.exists[place] & (True if kind == "ivr" else rows.answered[place])
        number = number + exists
        within = np.flatnonzero(exists)
        parts.append(
            {
                "call_id": chosen.calls[within],
                "segment_number": number[within],
                "visit_id": np.full(len(within), None, dtype=object) if kind == "ivr" else visits[within],
                "kind": np.full(len(within), kind, dtype=object),
                "agent_id": np.full(len(within), None, dtype=object) if kind == "ivr" else chosen.agents[within],
                "started_at": stretch.start[place][within],
                "ended_at": stretch.end[place][within],
            }
        )
    if parts:
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        loader.insert(SEGMENTS, {"id": loader.reserve(SEGMENTS, len(columns["kind"]))} | columns)
