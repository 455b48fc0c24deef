"""Titles and descriptions of tickets, put together from phrases in texts.yml."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.columns import Ints, words
from simulator.contacts import Catalogue
from simulator.places import Places
from simulator.tickets import Tickets
from simulator.vocabulary import phrases


class Writer:
    """Writes what the agent noted down; the words come in many combinations."""

    def __init__(self, catalogue: Catalogue) -> None:
        said = phrases()
        self._parts: dict[str, list[str]] = said["parts"]
        complaints, services = said["complaints"], said["services"]
        # One flat list of cores: leaves first, then service types; `first` and `sizes` find a subject's own.
        subjects = [complaints[leaf] for leaf in catalogue.complaints] + [services[s] for s in catalogue.services]
        self._titles = [subject["title"] for subject in subjects]
        self._cores = [core for subject in subjects for core in subject["said"]]
        self._sizes = np.array([len(subject["said"]) for subject in subjects])
        self._first = np.cumsum(self._sizes) - self._sizes
        self._leaves = len(catalogue.complaints)

    def write(self, rng: np.random.Generator, tickets: Tickets, places: Places) -> tuple[pa.Array, pa.Array]:
        """Title and description of each ticket."""
        count = tickets.count
        subject = np.where(tickets.complaint >= 0, tickets.complaint, self._leaves + tickets.service)
        core = self._first[subject] + (rng.random(count) * self._sizes[subject]).astype(np.int64)
        township = pc.fill_null(pc.cast(words(places.township_names, tickets.township), pa.string()), "")
        county = pc.fill_null(pc.cast(words(places.county_names, tickets.township), pa.string()), "")
        title = pc.binary_join_element_wise(
            county, pc.cast(words(self._titles, subject), pa.string()), self._some(rng, "title_end", count), ""
        )
        complaining = pa.array(tickets.complaint >= 0)
        description = pc.binary_join_element_wise(
            pc.if_else(complaining, self._some(rng, "opening", count), self._some(rng, "calm_opening", count)),
            pc.if_else(complaining, township, pa.scalar("")),
            pc.cast(words(self._cores, core), pa.string()),
            pc.if_else(complaining, self._some(rng, "since", count), pa.scalar("")),
            pc.if_else(complaining, self._some(rng, "context", count), pa.scalar("")),
            pc.if_else(complaining, self._some(rng, "wish", count), self._some(rng, "calm_wish", count)),
            "",
        )
        outage = pa.array(tickets.is_outage)
        area = pc.binary_join_element_wise(
            township, pa.scalar("片区网络中断，多名客户来电反映，请尽快抢修并通报恢复时间。"), ""
        )
        return (
            pc.if_else(outage, pc.binary_join_element_wise(county, township, pa.scalar("区域性故障"), ""), title),
            pc.if_else(outage, area, description),
        )

    def _some(self, rng: np.random.Generator, part: str, count: int) -> pa.Array:
        choices = self._parts[part]
        picks: Ints = rng.integers(0, len(choices), count)
        return pc.cast(words(choices, picks), pa.string())
