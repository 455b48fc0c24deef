"""Accepted tickets go to the store: the contact each came from, the ticket, and what is known of its history."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from ingestion.imports.batch import Batch, Flags, Instants, Objects, is_none, looked_up
from ingestion.imports.bulk import Loader, ids_by_key
from ingestion.imports.directory import CONTACTS, EVENTS, TICKETS, Directory
from ingestion.imports.instants import TimeReader
from ingestion.imports.mapping import Mapping
from ingestion.imports.rejects import Refused
from ingestion.imports.tickets import TicketRows, read_tickets

_LONGEST_TITLE = 300
Ids = npt.NDArray[np.int64]


class TicketImport:
    """Reads and writes the tickets of one source, batch by batch."""

    def __init__(self, directory: Directory, mapping: Mapping) -> None:
        self.directory = directory
        self.mapping = mapping
        self.source = mapping.source

    def read(self, batch: Batch, times: TimeReader) -> TicketRows:
        """The batch as tickets; rows with a fault are refused with the reason."""
        return read_tickets(batch, self.mapping, self.directory, times)

    def told(self, rows: TicketRows) -> Refused:
        """What is known of the rows should they be refused."""
        units = looked_up(rows.texts["unit"], self.directory.units)
        return Refused(rows.created, rows.texts["channel"], rows.texts["service_type"], units)

    def present(self, connection: Connection, rows: TicketRows, keys: Objects) -> set[str]:
        """Keys whose ticket the store holds."""
        found = ids_by_key(connection, TICKETS, "code", [f"{self.source}:{key}" for key in keys])
        return {code.removeprefix(f"{self.source}:") for code in found}

    def write(self, loader: Loader, rows: TicketRows, keys: Objects, wanted: Flags) -> None:
        """Insert the wanted rows; the store does not hold them yet."""
        place = np.flatnonzero(wanted)
        rows = _chosen(rows, place)
        codes = np.array([f"{self.source}:{key}" for key in keys[place]], dtype=object)
        customers = self.directory.customers(loader, rows.texts["customer"], rows.texts["customer_level"], rows.created)
        units = looked_up(rows.texts["unit"], self.directory.units)
        contacts = self._insert_contacts(loader, rows, codes, customers, units)
        tickets = loader.reserve(TICKETS, len(place))
        columns: dict[str, npt.NDArray[Any]] = {
            "id": tickets,
            "code": codes,
            "contact_id": contacts,
            "customer_id": customers,
            "channel_code": rows.texts["channel"],
            "service_type_code": rows.texts["service_type"],
            "complaint_type_code": rows.texts["complaint_type"],
            "product_code": rows.texts["product"],
            "unit_id": units,
            "priority": np.where(is_none(rows.texts["priority"]), "normal", rows.texts["priority"]),
            "state": rows.texts["state"],
            "title": np.array([text and text[:_LONGEST_TITLE] for text in rows.texts["title"]], dtype=object),
            "description": rows.texts["description"],
            "created_at": rows.created,
            "resolved_at": rows.resolved,
            "closed_at": rows.closed,
            "is_on_behalf": np.asarray(rows.texts["on_behalf"] == "true", dtype=np.bool_),
            "source": np.full(len(place), self.source, dtype=object),
        }
        loader.insert(TICKETS, columns)
        _insert_events(loader, rows, tickets)

    def _insert_contacts(
        self, loader: Loader, rows: TicketRows, codes: Objects, customers: Objects, units: Objects
    ) -> Ids:
        """The contact that each ticket arose from. It was taken, but how long that took is not known."""
        ids = loader.reserve(CONTACTS, len(codes))
        loader.insert(
            CONTACTS,
            {
                "id": ids,
                "channel_code": rows.texts["channel"],
                "external_id": codes,
                "customer_id": customers,
                "unit_id": units,
                "service_type_code": rows.texts["service_type"],
                "product_code": rows.texts["product"],
                "started_at": rows.created,
                "ended_at": rows.created,
                "outcome": np.full(len(codes), "other", dtype=object),
                "source": np.full(len(codes), self.source, dtype=object),
            },
        )
        return ids


def _chosen(rows: TicketRows, place: npt.NDArray[np.intp]) -> TicketRows:
    texts = {name: values[place] for name, values in rows.texts.items()}
    return TicketRows(texts, rows.created[place], rows.resolved[place], rows.closed[place])


def _insert_events(loader: Loader, rows: TicketRows, tickets: Ids) -> None:
    """The history as far as it is known: created, resolved and closed, each only with its time.

    Where no later step has a time, the ticket is created in the state that it was handed over in.
    """
    state = rows.texts["state"]
    size = len(tickets)
    steps: list[tuple[str, Flags, Instants, Objects]] = [
        ("created", np.ones(size, dtype=np.bool_), rows.created, np.full(size, "new", dtype=object))
    ]
    for kind, times in (("resolved", rows.resolved), ("closed", rows.closed)):
        steps.append((kind, ~np.isnat(times), times, np.full(size, kind, dtype=object)))
    last = np.max([np.where(where, number, 0) for number, (_, where, _, _) in enumerate(steps)], axis=0)
    number, before = np.zeros(size, dtype=np.int64), np.full(size, None, dtype=object)
    parts = []
    for order, (kind, where, times, reached) in enumerate(steps):
        number = number + where
        to_state = np.where(last == order, state, reached)
        parts.append(
            {
                "ticket_id": tickets[where],
                "event_number": number[where],
                "kind": np.full(int(where.sum()), kind, dtype=object),
                "from_state": before[where],
                "to_state": to_state[where],
                "occurred_at": times[where],
                "actor_role": np.full(int(where.sum()), "foreign", dtype=object),
            }
        )
        before = np.where(where, to_state, before)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    loader.insert(EVENTS, {"id": loader.reserve(EVENTS, len(columns["kind"]))} | columns)
