"""Commands of the operational store."""

import click

from core.database import make_engine, session_scope
from crm_api.reference.service import load_reference
from crm_api.store import migrate, store_errors


@click.command()
def init() -> None:
    """Create or upgrade the operational store and load the reference data; repeating it changes nothing."""
    engine = make_engine()
    migrate(engine)
    with store_errors(engine), session_scope(engine) as session:
        written = load_reference(session)
    click.echo(f"Store ready: {engine.url.render_as_string(hide_password=True)} ({written} reference rows written)")
