"""Commands for users: list, add, reset a password, a token for measuring, the demo's people."""

import json

import click


@click.group()
def users() -> None:
    """Who may sign in: list, add, reset a password, the demo's people."""


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """All users with their role and unit."""
    from sqlalchemy import select

    from core.database import make_engine, session_scope
    from crm_api.identity.models import User
    from crm_api.store import require_ready

    engine = make_engine()
    require_ready(engine)
    with session_scope(engine) as session:
        rows = [
            {
                "username": user.username,
                "role": user.role,
                "unit": user.unit.code,
                "name": user.display_name,
                "active": user.is_active,
                "demo": user.is_demo,
            }
            for user in session.scalars(select(User).order_by(User.username))
        ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        marks = ("" if row["active"] else " (off)") + (" (demo)" if row["demo"] else "")
        click.echo(f"{row['username']:<20} {row['role']:<15} {row['unit']:<16} {row['name']}{marks}")


@users.command()
@click.argument("username")
@click.option("--role", required=True, help="E.g. agent, dispatcher, branch_handler, analyst, administrator.")
@click.option("--unit", "unit_code", default="province", show_default=True, help="E.g. baoji or baoji.weibin.")
@click.option("--name", default="", help="Name shown to colleagues (default: the user name).")
def add(username: str, role: str, unit_code: str, name: str) -> None:
    """Add a user with a generated temporary password, printed once."""
    from core.database import make_engine, session_scope
    from crm_api.identity.passwords import generate_password
    from crm_api.identity.service import create_user, unit_by_code
    from crm_api.store import require_ready

    engine = make_engine()
    require_ready(engine)
    password = None if role == "system" else generate_password()
    with session_scope(engine) as session:
        user = create_user(
            session,
            username=username,
            display_name=name or username,
            role=role,
            unit=unit_by_code(session, unit_code),
            password=password,
            by=None,
        )
        created = user.username
    click.echo(f"{created} / {password}  (temporary)" if password else f"{created}: a system user, it takes API tokens")


@users.command("reset-password")
@click.argument("username")
def reset_password(username: str) -> None:
    """Give a user a generated temporary password, printed once; it also unlocks the account."""
    from sqlalchemy import select

    from core.actor import Actor
    from core.database import make_engine, session_scope
    from crm_api.errors import NotFoundError
    from crm_api.identity.models import User
    from crm_api.identity.passwords import generate_password
    from crm_api.identity.service import set_password, unit_by_code
    from crm_api.store import require_ready

    engine = make_engine()
    require_ready(engine)
    password = generate_password()
    with session_scope(engine) as session:
        user = session.scalars(select(User).where(User.username == username.lower())).one_or_none()
        if user is None or user.role == "system":
            raise NotFoundError(f"There is no user {username!r} with a password.", "See them with: crm users list")
        province = unit_by_code(session, "province")
        by = Actor(username="command line", role="system", unit_id=province.id, unit_kind="province")
        set_password(session, user, password, by=by, temporary=True)
    click.echo(f"{username.lower()} / {password}  (temporary)")


@users.command("metrics-token")
@click.option("--out", required=True, type=click.Path(dir_okay=False), help="The file that Prometheus reads it from.")
def metrics_token(out: str) -> None:
    """Keep a token for /metrics alone in a file; one that still holds stays. For a new one delete the file."""
    from pathlib import Path

    from core.database import make_engine
    from crm_api.identity.token_files import keep_metrics_token
    from crm_api.store import require_ready

    engine = make_engine()
    require_ready(engine)
    written = keep_metrics_token(engine, Path(out))
    click.echo(f"{out}: {'a new token was written' if written else 'its token still holds'}")


@users.command()
def demo() -> None:
    """Create the demonstration's users; their passwords are public, never do this on a real system."""
    from core.database import make_engine, session_scope
    from crm_api.identity.service import DEMO_USERS, create_demo_users, demo_password
    from crm_api.store import require_ready

    engine = make_engine()
    require_ready(engine)
    with session_scope(engine) as session:
        created = create_demo_users(session)
    click.echo(f"{created} demonstration users created:")
    for username, role, unit, _ in DEMO_USERS:
        click.echo(f"  {username:<16} {demo_password(username):<28} {role} of {unit}")
