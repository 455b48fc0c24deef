"""What must hold in any province: one exit a visit, one state an agent, waits within limits, histories that replay."""

from typing import Any

import duckdb
import phonenumbers
import pyarrow as pa
import pytest

from simulator.province import Province

Played = tuple[Province, dict[str, pa.Table]]
Ask = duckdb.DuckDBPyConnection


def rows(ask: Ask, query: str) -> list[tuple[Any, ...]]:
    return ask.execute(query).fetchall()


def one(ask: Ask, query: str) -> Any:
    return rows(ask, query)[0][0]


def none(ask: Ask, query: str) -> None:
    """The query finds no offender."""
    assert rows(ask, query + " LIMIT 3") == []


def test_every_visit_has_exactly_one_exit_and_belongs_to_a_voice_contact(ask: Ask) -> None:
    none(ask, "SELECT * FROM queue_visits WHERE exit_class IS NULL OR exited_at IS NULL")
    none(
        ask,
        "SELECT * FROM queue_visits LEFT JOIN contacts ON contacts.id = contact_id "
        "WHERE channel_code IS DISTINCT FROM 'voice' OR outcome NOT IN ('answered', 'abandoned', 'other')",
    )
    none(ask, "SELECT contact_id, visit_number FROM queue_visits GROUP BY ALL HAVING count(*) > 1")


def test_an_answered_visit_has_an_agent_who_rang_and_talked(ask: Ask) -> None:
    none(
        ask,
        "SELECT v.id FROM queue_visits v LEFT JOIN call_segments s ON s.visit_id = v.id AND s.agent_id = v.agent_id "
        "WHERE exit_class = 'answered' GROUP BY v.id HAVING count_if(kind = 'talk') = 0 OR "
        "count_if(kind = 'alerting') = 0",
    )
    none(
        ask,
        "SELECT * FROM queue_visits WHERE exit_class <> 'answered' AND (agent_id IS NOT NULL OR ended_at IS NOT NULL)",
    )


def test_waits_are_neither_negative_nor_longer_than_the_limit(ask: Ask) -> None:
    assert one(ask, "SELECT min(wait) FROM offered") >= 0
    assert one(ask, "SELECT max(wait) FROM offered WHERE exit_class = 'abandoned'") <= 360
    assert rows(ask, "SELECT DISTINCT wait FROM offered WHERE exit_class = 'timeout'") in ([(360.0,)], [])
    # Whoever is answered has waited at least as long as it rang.
    assert one(ask, "SELECT min(wait) FROM offered WHERE exit_class = 'answered'") >= 1


def test_an_agent_is_in_one_state_at_a_time_and_states_fill_the_logged_in_time(ask: Ask) -> None:
    followed = (
        "SELECT agent_id, started_at, ended_at, date_trunc('day', started_at) AS day, lead(started_at) OVER "
        "(PARTITION BY agent_id, date_trunc('day', started_at) ORDER BY started_at) AS following FROM agent_states"
    )
    none(ask, f"SELECT * FROM ({followed}) WHERE following IS NOT NULL AND following <> ended_at")
    none(ask, "SELECT * FROM agent_states WHERE ended_at <= started_at")


def test_agents_work_only_on_shifts_and_at_their_seat(ask: Ask) -> None:
    none(
        ask,
        "SELECT a.id FROM agent_states a LEFT JOIN shifts s ON s.agent_id = a.agent_id AND s.seat_id = a.seat_id "
        "AND CAST(s.starts_at AS DATE) = CAST(a.started_at AS DATE) WHERE s.id IS NULL "
        "OR a.started_at < s.starts_at - INTERVAL 10 MINUTE OR a.started_at > s.ends_at + INTERVAL 1 HOUR",
    )
    none(
        ask,
        "SELECT * FROM (SELECT agent_id, ended_at, lead(started_at) OVER w AS following, lead(agent_id) "
        "OVER w AS next_agent "
        "FROM agent_states WINDOW w AS (PARTITION BY seat_id ORDER BY started_at)) "
        "WHERE next_agent <> agent_id AND following < ended_at",
    )


def test_states_and_segments_tell_the_same_story(ask: Ask) -> None:
    for kind in ("talk", "hold", "wrap_up", "alerting"):
        states = one(
            ask, f"SELECT sum(epoch_us(ended_at) - epoch_us(started_at)) FROM agent_states WHERE state = '{kind}'"
        )
        segments = one(
            ask, f"SELECT sum(epoch_us(ended_at) - epoch_us(started_at)) FROM call_segments WHERE kind = '{kind}'"
        )
        # An abandon while it rings leaves a state but no segment.
        assert states == segments or (kind == "alerting" and segments <= states <= segments * 1.02)


def test_segments_of_a_call_follow_one_another(ask: Ask) -> None:
    none(
        ask,
        "SELECT * FROM (SELECT call_id, segment_number, kind, ended_at, lead(started_at) OVER "
        "(PARTITION BY call_id ORDER BY "
        "segment_number) AS following FROM call_segments WHERE kind <> 'wrap_up') WHERE following < ended_at",
    )
    none(ask, "SELECT call_id FROM call_segments GROUP BY 1 HAVING max(segment_number) <> count(*)")


def test_every_kind_of_ending_occurs(ask: Ask) -> None:
    exits = {name for (name,) in rows(ask, "SELECT DISTINCT exit_class FROM queue_visits")}
    assert {"answered", "abandoned", "timeout", "key_exit"} <= exits
    assert one(ask, "SELECT count(*) FROM queue_visits WHERE is_transferred") > 50
    none(
        ask,
        "SELECT v.id FROM queue_visits v LEFT JOIN queue_visits n ON n.contact_id = v.contact_id AND "
        "n.visit_number = 2 "
        "WHERE v.is_transferred AND (n.id IS NULL OR n.entered_at <> v.ended_at OR n.queue_id = v.queue_id)",
    )
    assert one(ask, "SELECT count(*) FROM contacts WHERE is_self_served AND outcome = 'ended_in_ivr'") > 500
    assert one(ask, "SELECT count(*) FROM contacts WHERE block_reason = 'closed'") > 100
    assert one(ask, "SELECT count(DISTINCT channel_code) FROM contacts") == 9
    none(
        ask,
        "SELECT id FROM contacts WHERE block_reason = 'closed' AND hour(started_at) BETWEEN 8 AND 21",
    )


# The arrows of the loop (docs: domain); None is before the beginning.
_ARROWS = {
    ("created", None, "new"),
    ("closed", "new", "closed"),
    ("dispatched", "new", "dispatched"),
    ("dispatched", "returned", "dispatched"),
    ("returned", "dispatched", "returned"),
    ("accepted", "dispatched", "accepted"),
    ("started", "accepted", "in_progress"),
    ("pended", "in_progress", "pending"),
    ("resumed", "pending", "in_progress"),
    ("resolved", "in_progress", "resolved"),
    ("review_started", "resolved", "in_review"),
    ("rejected", "in_review", "in_progress"),
    ("approved", "in_review", "follow_up"),
    ("closed", "follow_up", "closed"),
    ("reopened", "closed", "in_progress"),
}


def test_ticket_histories_replay_to_the_ticket(ask: Ask) -> None:
    none(
        ask,
        "SELECT * FROM (SELECT ticket_id, from_state, occurred_at, lag(to_state) OVER w AS before, "
        "lag(occurred_at) OVER w AS then_at "
        "FROM ticket_events WINDOW w AS (PARTITION BY ticket_id ORDER BY event_number)) "
        "WHERE from_state IS DISTINCT FROM before OR occurred_at < then_at",
    )
    none(
        ask,
        "SELECT t.id FROM tickets t JOIN (SELECT ticket_id, arg_max(to_state, event_number) AS state, "
        "count(*) AS events, "
        "max(event_number) AS last, min(occurred_at) AS created, max(occurred_at) FILTER (WHERE kind = "
        "'closed') AS closed "
        "FROM ticket_events GROUP BY 1) e ON e.ticket_id = t.id WHERE t.state <> e.state OR e.events <> e.last "
        "OR t.created_at <> e.created OR (t.state = 'closed' AND t.closed_at <> e.closed)",
    )
    assert one(ask, "SELECT count(DISTINCT ticket_id) FROM ticket_events") == one(ask, "SELECT count(*) FROM tickets")
    arrows = set(rows(ask, "SELECT DISTINCT kind, from_state, to_state FROM ticket_events WHERE kind <> 'cancelled'"))
    assert arrows == _ARROWS


def test_only_the_province_dispatches_reviews_closes_and_cancels(ask: Ask) -> None:
    roles = rows(
        ask,
        "SELECT DISTINCT actor_role FROM ticket_events WHERE kind IN "
        "('dispatched', 'review_started', 'rejected', 'approved', 'closed', 'cancelled', 'reopened')",
    )
    assert {role for (role,) in roles} <= {"agent", "dispatcher", "reviewer", "supervisor"}
    none(ask, "SELECT id FROM ticket_events WHERE actor_role = 'agent' AND kind = 'closed' AND from_state <> 'new'")
    none(
        ask,
        "SELECT e.id FROM ticket_events e JOIN org_units u ON u.id = e.unit_id "
        "WHERE (u.kind = 'province') = starts_with(e.actor_role, 'branch')",
    )


def test_an_outage_is_resolved_after_its_children(ask: Ask) -> None:
    assert one(ask, "SELECT count(*) FROM tickets WHERE kind = 'outage'") >= 1
    none(
        ask,
        "SELECT p.id FROM tickets p JOIN tickets c ON c.parent_id = p.id "
        "WHERE p.resolved_at IS NOT NULL AND (c.resolved_at IS NULL OR c.resolved_at > p.resolved_at)",
    )
    none(ask, "SELECT c.id FROM tickets c JOIN tickets p ON c.parent_id = p.id WHERE c.township_id <> p.township_id")


def test_tickets_reopen_within_thirty_days(ask: Ask) -> None:
    longest = one(
        ask,
        "SELECT max(occurred_at - closed) FROM (SELECT kind, occurred_at, lag(occurred_at) OVER "
        "(PARTITION BY ticket_id "
        "ORDER BY event_number) AS closed FROM ticket_events) WHERE kind = 'reopened'",
    )
    assert longest.days < 30


def test_nobody_calls_before_registering_or_after_the_day_of_leaving(ask: Ask) -> None:
    none(
        ask,
        "SELECT c.id FROM contacts c JOIN customers k ON k.id = c.customer_id WHERE c.started_at < k.registered_at "
        "OR CAST(c.started_at AS DATE) > CAST(k.left_at AS DATE)",
    )
    assert one(ask, "SELECT count(*) FROM customers WHERE left_at IS NOT NULL") > 50


def test_nothing_happens_after_the_period(ask: Ask, province: Played) -> None:
    end = f"make_timestamptz({province[0].clock.origin_us + province[0].clock.end_ms * 1000})"
    for table, column in (
        ("ticket_events", "occurred_at"),
        ("contacts", "started_at"),
        ("survey_answers", "answered_at"),
    ):
        none(ask, f"SELECT id FROM {table} WHERE {column} >= {end}")


def test_phones_and_identity_numbers_are_valid(province: Played) -> None:
    tables = province[1]
    phones = tables["customer_phones"].column("e164").to_pylist()[:3_000]
    invalid = [phone for phone in phones if not phonenumbers.is_valid_number(phonenumbers.parse(phone))]
    assert invalid == []
    customers = tables["customers"].select(["kind", "identity_number"]).to_pylist()[:3_000]
    assert all(_identity_holds(row["kind"], row["identity_number"]) for row in customers)


def _identity_holds(kind: str, number: str) -> bool:
    if kind == "person":
        total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17]))
        return number[17] == "10X98765432"[total % 11]
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(alphabet.index(sign) * pow(3, place, 31) for place, sign in enumerate(number[:17]))
    return number[17] == alphabet[(31 - total % 31) % 31]


@pytest.mark.parametrize(
    ("table", "column", "parent"),
    [
        ("contacts", "customer_id", "customers"),
        ("contacts", "agent_id", "agents"),
        ("contacts", "township_id", "townships"),
        ("tickets", "contact_id", "contacts"),
        ("agent_states", "call_id", "calls"),
        ("survey_answers", "ticket_id", "tickets"),
        ("subscriptions", "account_id", "accounts"),
    ],
)
def test_what_is_referred_to_exists(ask: Ask, table: str, column: str, parent: str) -> None:
    none(
        ask,
        f"SELECT t.id FROM {table} t LEFT JOIN {parent} p ON p.id = t.{column} "
        f"WHERE t.{column} IS NOT NULL AND p.id IS NULL",
    )
