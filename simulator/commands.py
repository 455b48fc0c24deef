"""`crm simulate`."""

from datetime import datetime, timedelta
from pathlib import Path

import click


@click.command()
@click.option(
    "--customers", type=click.IntRange(min=1), default=20_000, show_default=True, help="Size of the province."
)
@click.option("--days", type=click.IntRange(1, 3660), default=90, show_default=True, help="Local days to simulate.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same rows.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last local day (default: yesterday).")
@click.option("--to", "target", type=click.Choice(["store", "lake"]), default="store", show_default=True)
@click.option(
    "--calls-per-year", type=click.FloatRange(0, 1000), help="Calls of a customer (default: the parameters')."
)
@click.option("--parameters", type=click.Path(dir_okay=False, path_type=Path), help="A YAML file like province.yml.")
@click.option("--json", "as_json", is_flag=True, help="Print the row counts as JSON.")
def simulate(
    customers: int, days: int, seed: int, until: datetime | None, target: str, calls_per_year: float | None,
    parameters: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Fill the operational store (or the lake) with a province in motion: all of it, or nothing if interrupted."""
    from core.time import to_local, utc_now
    from simulator.province import Wish
    from simulator.run import simulate as run

    last = until.date() if until else to_local(utc_now()).date() - timedelta(days=1)
    wish = Wish(customers=customers, days=days, seed=seed, until=last)
    result = run(wish, target=target, calls_per_year=calls_per_year, parameters=parameters)
    if as_json:
        import json

        click.echo(json.dumps(result, ensure_ascii=False))
        return
    for table, rows in result["rows"].items():
        click.echo(f"{table:20} {rows:>12,}")
    click.echo(f"{sum(result['rows'].values()):,} rows into {result['into']} in {result['seconds']:.1f} s")
