"""Rows of a ticket file in our terms; what is wrong is refused."""

from dataclasses import dataclass

import numpy as np

from ingestion.imports.batch import Batch, Flags, Instants, Objects, is_none
from ingestion.imports.directory import Directory
from ingestion.imports.fields import field_texts
from ingestion.imports.instants import TimeReader, no_instants
from ingestion.imports.mapping import Instant, Mapping, TicketFields
from ingestion.imports.texts import required

TEXTS = (
    "channel",
    "state",
    "service_type",
    "complaint_type",
    "product",
    "unit",
    "priority",
    "customer",
    "customer_level",
    "title",
    "description",
    "on_behalf",
)


@dataclass
class TicketRows:
    """A batch of tickets in our terms; every array has the batch's length."""

    texts: dict[str, Objects]
    created: Instants
    resolved: Instants
    closed: Instants


def _later(part: Instant | None, created: Instants, batch: Batch, times: TimeReader, *, field: str) -> Instants:
    """An instant after the creation; rows where it comes before are refused."""
    if part is None:
        return no_instants(len(batch))
    found = times.instant(part, batch, field=field)
    early: Flags = np.asarray(found < created, dtype=np.bool_)
    batch.refuse(early, f"{field} is before created_at", np.datetime_as_string(found, unit="s").astype(object))
    return found


def read_tickets(batch: Batch, mapping: Mapping, directory: Directory, times: TimeReader) -> TicketRows:
    """The batch in our terms; rows with a fault are refused with the reason, the first one found."""
    fields = mapping.fields
    assert isinstance(fields, TicketFields)  # noqa: S101 - kind and block agree
    created = times.instant(fields.created_at, batch, field="created_at")
    batch.refuse(np.isnat(created), "created_at is empty")
    read = {name: field_texts(getattr(fields, name), batch, directory, field=name) for name in TEXTS}
    for name in ("channel", "state", "service_type"):
        required(read[name], batch, field=name)
    if fields.unit is not None:
        required(read["unit"], batch, field="unit")
    resolved = _later(fields.resolved_at, created, batch, times, field="resolved_at")
    closed = _later(fields.closed_at, created, batch, times, field="closed_at")
    untitled = is_none(read["title"])
    read["title"] = np.where(untitled, read["description"], read["title"])
    return TicketRows(read, created, resolved, closed)
