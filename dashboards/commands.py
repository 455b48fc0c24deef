"""`crm dashboards`: serve the analysts' pages."""

import click

DEFAULT_PORT = 8501


@click.command()
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535))
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 serves other machines too.")
def dashboards(port: int, host: str) -> None:
    """Serve the pages until Ctrl-C; the next free port is taken if PORT is in use."""
    from dashboards.scope import DashboardSettings
    from dashboards.server import free_port, serve

    chosen = free_port(host, port)
    if chosen != port:
        click.echo(f"Port {port} is taken; using {chosen}.", err=True)
    unit = DashboardSettings().scope
    if unit:
        click.echo(f"No sign-in: whoever reaches this port sees {unit} (CRM_DASHBOARD_SCOPE).", err=True)
    serve(host, chosen, on_ready=lambda address: click.echo(f"Dashboards: {address}"))
