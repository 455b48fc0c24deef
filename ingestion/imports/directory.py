"""What the store knows by code: reference rows, queues, agents, customers; the missing ones of a file are added."""

from collections.abc import Collection
from typing import Any, cast

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Table, select, update

from core.errors import ConfigurationError
from crm_api import models
from crm_api.base import Base
from crm_api.contacts.models import BLOCK_REASONS, CONTACT_OUTCOMES, DIRECTIONS, EXIT_CLASSES
from crm_api.customers.models import KEY_LEVELS
from crm_api.tickets.models import PRIORITIES, TICKET_STATES
from ingestion.imports.batch import Instants, Objects, is_none, looked_up, per_unique
from ingestion.imports.bulk import Loader, ids_by_key, pairs
from ingestion.imports.mapping import Mapping, Value

_MANY = 12


def table_of(model: type[Base]) -> Table:
    """The table of a model."""
    return cast("Table", model.__table__)


CONTACTS = table_of(models.contacts.Contact)
CALLS = table_of(models.contacts.Call)
VISITS = table_of(models.contacts.QueueVisit)
SEGMENTS = table_of(models.contacts.CallSegment)
TICKETS = table_of(models.tickets.Ticket)
EVENTS = table_of(models.tickets.TicketEvent)
REJECTS = table_of(models.imports.ImportReject)
_AGENTS = table_of(models.workforce.Agent)
_QUEUES = table_of(models.workforce.Queue)
_CUSTOMERS = table_of(models.customers.Customer)
_SERVICE_TYPES = table_of(models.contacts.ServiceType)
_UNITS = table_of(models.organisation.OrgUnit)


def _codes(connection: Connection, model: type[Base]) -> set[str]:
    return set(connection.scalars(select(table_of(model).c.code)))


def _objects(items: Collection[Any]) -> Objects:
    result = np.empty(len(items), dtype=object)
    result[:] = list(items)
    return result


class Directory:
    """Codes and ids of one store for one mapping; ids that were looked up once are kept."""

    def __init__(self, loader: Loader, mapping: Mapping) -> None:
        connection = loader.connection
        self.source = mapping.source
        self.service_types = _codes(connection, models.contacts.ServiceType)
        self._calendars = _codes(connection, models.organisation.WorkCalendar)
        self._queues = pairs(connection, select(_QUEUES.c.code, _QUEUES.c.id))
        self._agents: dict[str, int] = {}
        self._add_reference(loader, mapping)
        self.channels = _codes(connection, models.contacts.Channel)
        self.products = _codes(connection, models.customers.Product)
        self.complaint_types = _codes(connection, models.tickets.ComplaintType)
        self.units = pairs(connection, select(_UNITS.c.code, _UNITS.c.id))
        self._check_targets(mapping)

    @property
    def known(self) -> dict[str, frozenset[str]]:
        """Field → the texts that it may become."""
        return {
            "channel": frozenset(self.channels),
            "service_type": frozenset(self.service_types),
            "complaint_type": frozenset(self.complaint_types),
            "product": frozenset(self.products),
            "unit": frozenset(self.units),
            "direction": frozenset(DIRECTIONS),
            "outcome": frozenset(CONTACT_OUTCOMES),
            "exit_class": frozenset(EXIT_CLASSES),
            "block_reason": frozenset(BLOCK_REASONS),
            "customer_level": frozenset(KEY_LEVELS),
            "state": frozenset(TICKET_STATES),
            "priority": frozenset(PRIORITIES),
            "on_behalf": frozenset(("true", "false")),
        }

    def _add_reference(self, loader: Loader, mapping: Mapping) -> None:
        known = self.service_types | {item.code for item in mapping.reference.service_types}
        for item in mapping.reference.service_types:
            if item.parent_code not in known:
                raise _unknown("reference.service_types.parent_code", item.parent_code, known)
        for queue in mapping.reference.queues:
            if queue.calendar_code not in self._calendars:
                raise _unknown("reference.queues.calendar_code", queue.calendar_code, self._calendars)
        missing = [item.model_dump() for item in mapping.reference.service_types if item.code not in self.service_types]
        for row in missing:
            loader.insert(_SERVICE_TYPES, {name: _objects([value]) for name, value in row.items()})
        self.service_types |= {row["code"] for row in missing}
        for queue in mapping.reference.queues:
            if queue.code not in self._queues:
                self._add_queue(loader, queue.model_dump())

    def _add_queue(self, loader: Loader, row: dict[str, Any]) -> None:
        number = loader.reserve(_QUEUES, 1)
        loader.insert(_QUEUES, {"id": number} | {name: _objects([value]) for name, value in row.items()})
        self._queues[row["code"]] = int(number[0])

    def _check_targets(self, mapping: Mapping) -> None:
        """ConfigurationError if the mapping turns texts into codes that do not exist."""
        for field, known in self.known.items():
            value: Value | None = getattr(mapping.fields, field, None)
            for target in sorted((value.targets if value else None) or ()):
                if target not in known:
                    raise _unknown(f"{mapping.kind}.{field}", target, known)

    def queue_ids(self, loader: Loader, names: Collection[str]) -> dict[str, int]:
        """Id of each queue: of the code itself, else of `<source>:<name>`, which is added round the clock."""
        for name in names:
            code = f"{self.source}:{name}"
            if name not in self._queues and code not in self._queues:
                self._add_queue(
                    loader, {"code": code, "name_zh": name[:80], "name_en": name[:80], "calendar_code": "always"}
                )
        return {name: self._queues.get(name) or self._queues[f"{self.source}:{name}"] for name in names}

    def default_queue(self, loader: Loader) -> int:
        """The queue of a centre that names none: its code is the source."""
        if self.source not in self._queues:
            row = {"code": self.source, "name_zh": self.source, "name_en": self.source, "calendar_code": "always"}
            self._add_queue(loader, row)
        return self._queues[self.source]

    def agent_ids(self, loader: Loader, names: dict[str, str]) -> dict[str, int]:
        """Id of each agent by the foreign code, `names` giving code → name; new ones get `<source>:<code>`."""
        fresh = [code for code in names if code not in self._agents]
        stored = ids_by_key(loader.connection, _AGENTS, "code", [f"{self.source}:{code}" for code in fresh])
        self._agents |= {code: stored[f"{self.source}:{code}"] for code in fresh if f"{self.source}:{code}" in stored}
        new = [code for code in fresh if code not in self._agents]
        if new:
            numbers = loader.reserve(_AGENTS, len(new))
            codes, shown = [f"{self.source}:{code}" for code in new], [names[code][:80] for code in new]
            loader.insert(_AGENTS, {"id": numbers, "code": _objects(codes), "name": _objects(shown)})
            self._agents |= dict(zip(new, numbers.tolist(), strict=True))
        return {code: self._agents[code] for code in names}

    def customers(self, loader: Loader, codes: Objects, levels: Objects, seen_at: Instants) -> Objects:
        """Id of each row's customer, None where the row names none; new ones are registered when first seen here.

        A customer's key level only ever rises by an import, to the highest that the file gives.
        """
        named = ~is_none(codes)
        places, uniques = pd.factorize(codes[named])
        if not len(uniques):
            return np.full(len(codes), None, dtype=object)
        first = np.full(len(uniques), np.iinfo(np.int64).max)
        np.minimum.at(first, places, seen_at[named].astype(np.int64))
        highest = np.zeros(len(uniques), dtype=np.int64)
        ranks = per_unique(levels[named], lambda level: KEY_LEVELS.index(level or "none"))
        np.maximum.at(highest, places, ranks.astype(np.int64))
        prefixed = [f"{self.source}:{code}" for code in uniques]
        ids = ids_by_key(loader.connection, _CUSTOMERS, "code", prefixed)
        rises = {
            ids[code]: level for code, level in zip(prefixed, highest.tolist(), strict=True) if level and code in ids
        }
        self._raise_levels(loader, rises)
        new = np.array([place for place, code in enumerate(prefixed) if code not in ids], dtype=np.intp)
        numbers = loader.reserve(_CUSTOMERS, len(new))
        columns = {
            "id": numbers,
            "code": _objects(prefixed)[new],
            "kind": _objects(["person"] * len(new)),
            "key_level": _objects(KEY_LEVELS)[highest[new]],
            "registered_at": first[new].astype("datetime64[us]"),
        }
        loader.insert(_CUSTOMERS, columns)
        ids |= dict(zip(columns["code"], numbers.tolist(), strict=True))
        result: Objects = np.full(len(codes), None, dtype=object)
        result[named] = looked_up(_objects(prefixed)[places], ids)
        return result

    def _raise_levels(self, loader: Loader, levels: dict[int, int]) -> None:
        for level in sorted(set(levels.values())):
            ids = [number for number, wanted in levels.items() if wanted == level]
            lower = KEY_LEVELS[:level]
            for start in range(0, len(ids), 500):
                chosen = _CUSTOMERS.c.id.in_(ids[start : start + 500])
                loader.connection.execute(
                    update(_CUSTOMERS)
                    .where(chosen, _CUSTOMERS.c.key_level.in_(lower))
                    .values(key_level=KEY_LEVELS[level])
                )


def _unknown(field: str, value: str, known: Collection[str]) -> ConfigurationError:
    listed = sorted(known)
    shown = ", ".join(listed[:_MANY]) + (" …" if len(listed) > _MANY else "")
    return ConfigurationError(
        f"The mapping's {field} gives {value!r}, which does not exist.",
        f"Correct it; nothing was loaded. Known: {shown}",
    )
