"""Commands of ingestion."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

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


@click.group(name="import")
def import_() -> None:
    """Bring foreign history in: calls or tickets, from CSV in any encoding or XLSX, by a mapping.

    The mapping is a YAML file that says which column becomes which field; docs/import.md explains it with two worked
    examples, and ingestion/mappings/ holds the two that come with the program. Running an import twice changes nothing.
    """


def _import_command(kind: str, line: str) -> click.Command:
    @click.command(name=kind, help=line, short_help=line)
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--mapping", required=True, type=click.Path(path_type=Path), help="YAML mapping (docs/import.md).")
    @click.option("--encoding", help="Encoding of the file; overrides the mapping. Found out if neither says.")
    @click.option("--sheet", help="Sheet of a workbook; the first one if not given.")
    @click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
    def command(file: Path, mapping: Path, encoding: str | None, sheet: str | None, as_json: bool) -> None:
        from ingestion.imports.report import run_command

        sys.exit(run_command(kind, file, mapping, encoding=encoding, sheet=sheet, as_json=as_json))

    return command


import_.add_command(_import_command("calls", "Calls of another centre: contacts, queue visits, talk."))
import_.add_command(_import_command("tickets", "Tickets of another system, each with the contact it came from."))
