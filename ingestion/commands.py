"""Commands of ingestion."""

import json
from dataclasses import asdict

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--count", "count_all", is_flag=True, help="Count large tables too, for the ledger.")
def ingest(as_json: bool, count_all: bool) -> None:
    """Carry what is new in the operational store into the lake; ended half-way, it is finished by the next call."""
    from ingestion.load import ingest as carry
    from ingestion.progress import row_counter

    with row_counter() as report:
        result = carry(count_all=count_all, report=report)
    if as_json:
        click.echo(json.dumps(asdict(result), ensure_ascii=False))
        return
    for load_id in result.recovered:
        click.echo(f"Load {load_id} of an ended process is complete now.")
    if result.load_id is None:
        click.echo(f"Nothing new in the store ({result.seconds:.1f} s).")
        return
    for table, rows in sorted(result.rows.items()):
        click.echo(f"{rows:>12,}  {table}")
    total = sum(result.rows.values())
    click.echo(f"Load {result.load_id} (epoch {result.epoch}): {total:,} rows in {result.seconds:.1f} s")
