"""`crm build`, `crm quarantine`, `crm kpi`."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from core.errors import BadInputError

if TYPE_CHECKING:
    import pandas as pd

    from warehouse.build import BuildResult

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.option("--full-refresh", is_flag=True, help="Make everything anew instead of adding the new loads.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def build(full_refresh: bool, as_json: bool) -> None:
    """Bring the marts up to the lake's new loads and test them (dbt, in this process).

    Everything is made anew if there is nothing to add to: the first time, after a change of the models or of T and S,
    after a restore of the store, or after a build that failed.
    """
    from warehouse.build import build as run
    from warehouse.lake_gate import inspect
    from warehouse.progress import build_progress

    inspect()
    with build_progress() as progress:
        result = run(progress=progress, full_refresh=full_refresh)
    if as_json:
        from dataclasses import asdict

        _print_json(asdict(result) | {"loads": len(result.loads)})
        return
    if not result.models:
        click.echo(f"No new load since the last build; nothing to do ({result.seconds:.1f} s).")
        return
    click.echo(
        f"Built {result.models} models from {len(result.loads)} loads ({_how(result)}); {result.tests} tests hold"
        f" ({result.seconds:.1f} s)."
    )


def _how(result: "BuildResult") -> str:
    return f"anew: {result.reason}" if result.mode == "full" else "only what changed"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One object a row, with what it holds.")
def quarantine(as_json: bool) -> None:
    """Rows of the lake that a gate set aside, each with its reason.

    They stay in the lake's files; the build does not read them. A row that is mended at its source comes with the next
    load and counts from then on.
    """
    from dataclasses import asdict

    from core.settings import get_settings
    from warehouse.quarantine import rows_set_aside

    rows = rows_set_aside(get_settings())
    if as_json:
        _print_json([asdict(row) for row in rows])
        return
    for row in rows:
        click.echo(f"{row.table_name} {row.key_column}={row.row_key} (load {row.load_id}): {row.reasons}")
    click.echo(f"{len(rows):,} rows are set aside.", err=True)


@click.command()
@click.option("--from", "period_from", type=_DAY, help="First day (Asia/Shanghai); without: from the beginning.")
@click.option("--to", "period_to", type=_DAY, help="Last day, included; without: to the end.")
@click.option("--by", default="", help="Dimensions, e.g. channel,city,day (also week, month, half_hour, branch, queue, service_type or type, product, agent, source).")  # fmt: skip  # noqa: E501 - one line of help
@click.option("--filter", "filters", multiple=True, help="dimension=code[,code…]; may be given several times.")
@click.option("--kpi", "codes", default="", help="Only these KPIs, by code.")
@click.option("--explain", default="", help="Print the definition of one KPI (or `all`) and stop.")
@click.option("--json", "as_json", is_flag=True, help="One object a group, unrounded.")
def kpi(
    period_from: datetime | None,
    period_to: datetime | None,
    by: str,
    filters: Sequence[str],
    codes: str,
    explain: str,
    as_json: bool,
) -> None:
    """Figures of the KPI dictionary from the published marts; without a period, of all data."""
    from core.scope import PROVINCE
    from warehouse.kpi import days_held, kpi_table
    from warehouse.publication import current
    from warehouse.reader import open_reader

    if explain:
        _explain(explain, as_json)
        return
    reader = open_reader(current(), PROVINCE)
    table = kpi_table(
        reader,
        period_from.date() if period_from else None,
        period_to.date() if period_to else None,
        _listed(by),
        _filters(filters),
        kpis=_listed(codes) or None,
    )
    if table.empty:
        held = days_held(reader)
        there = f"the data hold {held[0]} to {held[1]}" if held else "what is published holds none at all"
        click.echo(f"No figures in this period and selection; {there}.", err=True)
    if as_json:
        _print_json(_objects(table))
    elif not table.empty:
        _print_table(table, _listed(by), named=bool(codes))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _filters(texts: Sequence[str]) -> dict[str, list[str]]:
    """Several filters of one dimension widen it; of several dimensions they narrow."""
    found: dict[str, list[str]] = {}
    for text in texts:
        name, codes = _filter(text)
        found[name] = found.get(name, []) + codes
    return found


def _filter(text: str) -> tuple[str, list[str]]:
    name, equals, codes = text.partition("=")
    if not equals or not _listed(codes):
        raise BadInputError(f"--filter is {text!r}.", "Write dimension=code, e.g. channel=voice.")
    return name.strip(), _listed(codes)


def _objects(table: "pd.DataFrame") -> list[dict[str, Any]]:
    import pandas as pd

    def plain(value: Any) -> Any:
        if pd.isna(value):
            return None
        if isinstance(value, datetime):
            return value.date().isoformat()
        return value.item() if hasattr(value, "item") else value

    columns = [str(name) for name in table.columns]
    return [
        {name: plain(value) for name, value in zip(columns, row, strict=True)}
        for row in table.itertuples(index=False, name=None)
    ]


def _print_json(content: Any) -> None:
    import json

    click.echo(json.dumps(content, ensure_ascii=False, indent=1))


def _explain(code: str, as_json: bool) -> None:
    from dataclasses import asdict

    from core.kpi import dictionary
    from core.settings import get_settings

    known = dictionary()
    if code != "all" and code not in known:
        raise BadInputError(f"There is no KPI {code!r}.", f"Known: {', '.join(known)}.")
    chosen = list(known.values()) if code == "all" else [known[code]]
    if as_json:
        _print_json([asdict(each) for each in chosen])
        return
    language = get_settings().language
    for each in chosen:
        click.echo(f"{each.code}  {each.name(language)}\n    {each.formula(language)}\n    = {each.sql}")


def _print_table(table: "pd.DataFrame", by: list[str], *, named: bool) -> None:
    from rich.console import Console

    from core.kpi import dictionary
    from core.settings import get_settings
    from warehouse.show import figures_table

    language = get_settings().language
    console = Console()
    # In a file or a pipe nothing is cut off.
    console = console if console.is_terminal else Console(width=250)
    console.print(figures_table(_objects(table), by, dictionary(), language, all_kpis=named))
