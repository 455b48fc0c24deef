"""`make bench`: runs the benchmark modules and prints one table of figures and ratios."""

import json
from importlib import import_module

import click
from rich.console import Console
from rich.table import Table

#: name -> module with `run(size) -> list of {name, value, unit, aim, note}`
BENCHMARKS = {
    "simulate": "benchmarks.simulate",
    "import": "benchmarks.imports",
    "ingest": "benchmarks.ingest",
    "pipeline": "benchmarks.pipeline",
    "increment": "benchmarks.increment",
    "cycle": "benchmarks.cycle",
    "reports": "benchmarks.reports",
    "questions": "benchmarks.questions",
    "models": "benchmarks.models",
    "scoring": "benchmarks.scoring",
    "lists": "benchmarks.lists",
    "search": "benchmarks.search",
    "telephony": "benchmarks.telephony",
    "screen-pop": "benchmarks.screen_pop",
    "suggestions": "benchmarks.suggestions",
    "core": "benchmarks.core_load",
}


def _show(rows: list[dict[str, object]]) -> None:
    table = Table("benchmark", "figure", "unit", "aim", "note")
    for row in rows:
        value = row["value"]
        shown = f"{value:,.3g}" if isinstance(value, float) and value < 100 else f"{value:,.0f}"
        table.add_row(str(row["name"]), shown, *(str(row.get(key) or "") for key in ("unit", "aim", "note")))
    Console().print(table)


@click.command()
@click.option("--only", type=click.Choice(list(BENCHMARKS)), help="Run one of them.")
@click.option("--size", type=click.Choice(["small", "province"]), default="small", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON list on standard output.")
def main(only: str | None, size: str, as_json: bool) -> None:
    """Measure on this machine; compare by ratio within one run, since machines are noisy."""
    rows: list[dict[str, object]] = []
    for name in [only] if only else BENCHMARKS:
        click.echo(f"{name} …", err=True)
        found = [{**row, "name": f"{name}: {row['name']}"} for row in import_module(BENCHMARKS[name]).run(size)]
        rows += found
        if not as_json:
            _show(found)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
