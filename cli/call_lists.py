"""`crm call-list`: what the campaign pages do, from the command line."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.errors import BadInputError

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from core.actor import Actor
    from crm_api.campaigns.models import Campaign

_AS = click.option("--as", "username", required=True, help="User name in whose right and scope it is done.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group("call-list")
def call_list() -> None:
    """Call lists of campaigns: build, show, export, import what came of calls, simulate calls."""


def _engine() -> "Engine":
    from core.database import make_engine
    from crm_api.store import require_ready

    engine = make_engine()
    require_ready(engine)
    return engine


def _actor(session: "Session", username: str) -> "Actor":
    from sqlalchemy import select

    from crm_api.identity.models import User
    from crm_api.identity.sessions import actor_of

    user = session.scalars(select(User).where(User.username == username, User.is_active)).one_or_none()
    if user is None:
        raise BadInputError(f"There is no user {username!r}.", "List them with: crm users list")
    return actor_of(user)


def _campaign(session: "Session", code: str, actor: "Actor") -> "Campaign":
    from sqlalchemy import select

    from crm_api.campaigns.models import Campaign
    from crm_api.identity.scope import scoped

    found = session.scalars(scoped(select(Campaign).where(Campaign.code == code), actor)).one_or_none()
    if found is None:
        raise BadInputError(f"There is no campaign {code!r}.", "See them on the page /app/campaigns.")
    return found


@call_list.command()
@click.argument("code")
@_AS
@_JSON
def build(code: str, username: str, as_json: bool) -> None:
    """Build the list of campaign CODE now; the same store gives the same list, and nobody is called twice."""
    from core.database import session_scope
    from crm_api.campaigns.building import carry_out, request_build
    from crm_api.campaigns.reading import gates_of
    from ml.lists import solve

    with session_scope(_engine()) as session:
        actor = _actor(session, username)
        campaign = _campaign(session, code, actor)
        made = carry_out(session, request_build(session, campaign.id, actor=actor), solve)
        gates = gates_of(session, campaign)
        told: dict[str, Any] = {
            "campaign": code,
            "version": made.version,
            "candidates": made.candidates,
            "listed": made.listed,
            "held_out": made.held_out,
            "value_yuan": (made.value_fen or 0) / 100,
            "solver": made.solver,
            "gap": made.gap,
            "gates": gates,
        }
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"{told['candidates']:,} candidates, {told['listed']:,} on the list, {told['held_out']:,} held out")
    click.echo(f"Expected value ¥{told['value_yuan']:,.2f}; {told['solver']}, gap {told['gap']:.4%}")
    for gate, customers in gates.items():
        if customers:
            click.echo(f"  {gate:<16}{customers:>10,}")


@call_list.command()
@click.argument("code")
@_AS
@_JSON
def show(code: str, username: str, as_json: bool) -> None:
    """Where campaign CODE stands: its state, its entries by state, what came of its calls."""
    from core.database import session_scope
    from crm_api.campaigns.reading import gates_of, outcomes, progress

    with session_scope(_engine()) as session:
        campaign = _campaign(session, code, _actor(session, username))
        told = {
            "state": campaign.state,
            "version": campaign.version,
            "entries": progress(session, campaign.id),
            "outcomes": outcomes(session, campaign.id),
            "gates": gates_of(session, campaign),
        }
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"{code}: {told['state']}, version {told['version']}")
    for name in ("entries", "outcomes", "gates"):
        counts: dict[str, int] = told[name]  # type: ignore[assignment]  # JSON of known shape
        click.echo(f"  {name}: " + (", ".join(f"{key} {count:,}" for key, count in counts.items() if count) or "none"))


@call_list.command()
@click.argument("code")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_AS
@click.option("--reason", default=None, help="Why numbers are needed in clear; else they are masked. Audited.")
def export(code: str, file: Path, username: str, reason: str | None) -> None:
    """Write the approved list of campaign CODE to FILE (.csv or .xlsx); the holdout is not in it."""
    from core.database import session_scope
    from crm_api.campaigns import exchange
    from crm_api.identity.permissions import Permission, permissions_of

    kind = file.suffix.lower().removeprefix(".")
    if kind not in ("csv", "xlsx"):
        raise BadInputError(f"{file.name} is neither .csv nor .xlsx.", "Name a file of one of these kinds.")
    with session_scope(_engine()) as session:
        actor = _actor(session, username)
        rights = permissions_of(actor.role)
        if Permission.EXPORT not in rights:
            raise BadInputError(f"The role {actor.role} may not export.", "Name a user who may.")
        content = exchange.export(
            session,
            _campaign(session, code, actor).id,
            actor=actor,
            kind="csv" if kind == "csv" else "xlsx",
            may_reveal=Permission.CUSTOMER_REVEAL in rights,
            reason=reason,
        )
    file.write_bytes(content)
    click.echo(f"Wrote {file}")


@call_list.command("import")
@click.argument("code")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_AS
@_JSON
def import_(code: str, file: Path, username: str, as_json: bool) -> None:
    """Take in what came of calls made elsewhere from FILE (entry, outcome, called_at, note); twice changes nothing."""
    from core.database import session_scope
    from crm_api.campaigns.exchange import import_outcomes

    with session_scope(_engine()) as session:
        actor = _actor(session, username)
        found = import_outcomes(session, _campaign(session, code, actor).id, file.read_bytes(), actor=actor)
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    click.echo(f"{found.taken} outcomes taken, {found.known} known before, {len(found.refused)} refused")
    for line, why in found.refused:
        click.echo(f"  line {line}: {why}", err=True)


@call_list.command()
@click.argument("code")
@_AS
@click.option("--seed", default=0, show_default=True, help="The same seed makes the same calls.")
@click.option("--effect", default=0.08, show_default=True, help="What being reached adds to the share that accepts.")
@_JSON
def simulate(code: str, username: str, seed: int, effect: float, as_json: bool) -> None:
    """Work the running campaign CODE with made-up calls whose effect is known. For demonstrations only."""
    from core.database import session_scope
    from simulator.campaign_calls import CallLaw, simulate_calls

    engine = _engine()
    with session_scope(engine) as session:
        actor = _actor(session, username)
        campaign_id = _campaign(session, code, actor).id
    worked = simulate_calls(engine, campaign_id, actor=actor, law=CallLaw(effect=effect), seed=seed)
    told = {"days": worked.days, "subscriptions": worked.subscriptions, "attempts": dict(worked.attempts)}
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"{worked.days} days, {sum(worked.attempts.values()):,} calls, {worked.subscriptions:,} subscriptions")
