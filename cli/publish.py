"""`crm publish`: gate and publish the marts, go back and forth between publications, release a held one."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from core.errors import BadInputError
from core.settings import Settings, get_settings

if TYPE_CHECKING:
    from warehouse.publication import Publication


@click.command()
@click.option("--rollback", is_flag=True, help="Point readers to the publication before the current one.")
@click.option("--restore", is_flag=True, help="Undo rollbacks: point readers to the newest publication.")
@click.option("--release", "held", metavar="RUN", default="", help="Let a run pass that a gate holds, though what it names does not hold; needs --reason and --by.")  # fmt: skip  # noqa: E501 - one line of help
@click.option(
    "--reason", default="", help="Why it is right as it is; stands in the audit log and on the page of gates."
)
@click.option("--by", "username", default="", help="Who decides: an analyst or manager of the province, or an administrator; the password is asked for (or read from stdin).")  # fmt: skip  # noqa: E501 - one line of help
@click.option("--history", "show_history", is_flag=True, help="List what the gates said of the last runs, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the publication (or the history) as JSON.")
def publish(
    rollback: bool, restore: bool, held: str, reason: str, username: str, show_history: bool, as_json: bool
) -> None:
    """Gate the built marts and publish them.

    A gate that does not hold publishes nothing: readers keep the last good marts, the run and what is wrong with it
    are named (exit status 3), and its page lies in CRM_HOME/gates. Mend the rows at their source and run the pipeline
    again; or, where the figures are right as they are, release the run: crm publish --release RUN --reason "…" --by
    USER.
    """
    from warehouse import publication

    chosen = [name for name, given in (("--rollback", rollback), ("--restore", restore), ("--release", held),
                                       ("--history", show_history)) if given]  # fmt: skip
    if len(chosen) > 1:
        raise BadInputError(f"{' and '.join(chosen)} contradict one another.", "Give one of them.")
    settings = get_settings()
    if show_history:
        _show_history(settings, as_json)
        return
    if rollback:
        published = publication.roll_back(settings)
    elif restore:
        published = publication.restore(settings)
    elif held:
        found = release(settings, held, username=username, reason=reason, password=_password(username))
        if found is None:
            click.echo(f"The loads of {held} are released; bring them to the marts with: crm pipeline")
            return
        published = found
    else:
        from warehouse.publish import publish as run

        published = run(progress=lambda step: click.echo(f"  {step} …", err=True))
    if as_json:
        click.echo(published.to_json())
        return
    rows = sum(published.row_counts.values())
    through = published.data_through.isoformat(timespec="seconds") if published.data_through else "–"
    click.echo(f"Readers now see run {published.run_id}: {rows:,} rows, data through {through}.")
    _warn(published)


def _password(username: str) -> str:
    if not username:
        raise BadInputError("A release needs a person.", "Name who decides: --by USER")
    if sys.stdin.isatty():
        return str(click.prompt(f"Password of {username}", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\n")


def _warn(published: "Publication") -> None:
    from warehouse.expectations import told

    broken = [gate for gate in published.gates if not gate["holds"]]
    if broken:
        click.echo(f"{len(broken)} of {len(published.gates)} expectations do not hold:", err=True)
    for gate in broken:
        click.echo(f"  {told(gate)}", err=True)


def _show_history(settings: Settings, as_json: bool) -> None:
    from core.time import to_local
    from warehouse.gate_history import history, pages_folder

    runs = history(settings)
    if as_json:
        click.echo(json.dumps([asdict(run) for run in runs], ensure_ascii=False, indent=1))
        return
    for run in runs:
        aside = f", {run.set_aside:,} rows set aside" if run.set_aside else ""
        by = f", released by {run.released_by}: {run.reason}" if run.released_by else ""
        click.echo(f"{run.run_id}  {run.stage:<5}  {to_local(run.when):%Y-%m-%d %H:%M:%S}  {run.verdict:<8}  "
                   f"{len(run.failed)} of {run.checked} broken{aside}{by}")  # fmt: skip
    click.echo(
        f"Pages: {pages_folder(settings) / 'index.en.html'}" if runs else "Nothing has been checked yet.", err=True
    )


def release(settings: Settings, held: str, *, username: str, reason: str, password: str) -> "Publication | None":
    """Let a held run pass in a person's name: who and why are checked, and audited together with the act.

    Args:
        settings: of the installation.
        held: the run, as the gate named it.
        username: who decides; must have the permission publication:release.
        reason: why.
        password: of that person.

    Returns:
        the publication; None for a run of the lake's gate, whose loads go into the next build.

    Raises:
        CrmError: wrong password, no permission, no such run, not held; the refusal of a person is audited too.
    """
    from core.database import make_engine, session_scope
    from crm_api.audit.service import record
    from crm_api.errors import NotAllowedError
    from crm_api.identity.permissions import Permission, permissions_of
    from crm_api.identity.service import log_in
    from crm_api.identity.sessions import actor_of
    from crm_api.store import require_ready, store_errors
    from crm_api.web.settings import WebSettings
    from warehouse.gate_history import find
    from warehouse.publish import publish_released

    if not reason.strip():
        raise BadInputError("A release needs a reason.", 'Say why: --reason "…"')
    run = find(settings, held)
    engine = make_engine(settings)
    try:
        require_ready(engine)
        with store_errors(engine), session_scope(engine) as session:
            user = log_in(session, username=username, password=password, settings=WebSettings()).user
            actor = actor_of(user) if user else None
        if actor is None:
            raise NotAllowedError(
                "The name or the password is wrong.", "Name who decides with --by, then the password."
            )
        allowed = Permission.PUBLICATION_RELEASE in permissions_of(actor.role) and actor.unit_kind == "province"
        broken = [f"{each['suite']}: {each['expectation']}({each['columns']})" for each in run.stopping]
        with store_errors(engine), session_scope(engine) as session:
            action = "publication.released" if allowed else "publication.release_refused"
            record(session, action, actor=actor, subject=("gate_run", held), reason=reason, broken=broken)
            published = publish_released(held, by=actor.username, reason=reason, settings=settings) if allowed else None
        if not allowed:
            raise NotAllowedError(
                f"{actor.username} ({actor.role}) may not release publications.", "Ask an administrator."
            )
        return published
    finally:
        engine.dispose()
