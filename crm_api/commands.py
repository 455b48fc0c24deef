"""Commands of the operational store: create it, serve it."""

import click


def _report(seen: int) -> None:
    click.echo(f"\r  search keys: {seen:,} customers", nl=False, err=True)


@click.command()
def init() -> None:
    """Create or upgrade the operational store and load the reference data; repeating it changes nothing.

    The first time it creates the user admin and prints the generated password, once.
    """
    from core.database import make_engine, session_scope
    from crm_api.customers.service import refresh_search_keys
    from crm_api.identity.service import create_administrator
    from crm_api.reference.service import load_reference
    from crm_api.store import migrate, store_errors

    engine = make_engine()
    migrate(engine)
    with store_errors(engine):
        with session_scope(engine) as session:
            written = load_reference(session)
            password = create_administrator(session)
        if refresh_search_keys(engine, _report):
            click.echo(err=True)
    click.echo(f"Store ready: {engine.url.render_as_string(hide_password=True)} ({written} reference rows written)")
    if password:
        click.echo(f"Administrator: admin / {password}  (shown this once; change it after signing in)")


def make_api(factory: str) -> click.Command:
    """The command that serves the application which `factory` (module:function) makes, in each of its processes."""

    @click.command()
    @click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
    @click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
    @click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 16), help="Processes.")
    def api(host: str, port: int, workers: int) -> None:
        """Serve the API and the capture frontend. Behind a proxy of another host set FORWARDED_ALLOW_IPS."""
        _serve(factory, host, port, workers)

    return api


def _serve(factory: str, host: str, port: int, workers: int) -> None:
    import uvicorn

    from core.database import make_engine
    from crm_api.customers.service import refresh_search_keys
    from crm_api.store import require_ready

    engine = make_engine()
    require_ready(engine)
    if refresh_search_keys(engine, _report):
        click.echo(err=True)
    engine.dispose()
    click.echo(f"Serving on http://{host}:{port} (API description: /api/v1/openapi.json); Ctrl-C ends it.")
    uvicorn.run(
        factory,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        server_header=False,
        # Beyond what is worked on and what waits with a body half read, connections are refused with 503.
        limit_concurrency=1000,
        timeout_keep_alive=30,
        # Browsers hold their live line open: it is cut rather than waited for.
        timeout_graceful_shutdown=5,
    )


api = make_api("crm_api.app:create_app")
