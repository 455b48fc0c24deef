"""`crm doctor`: what is installed, reachable, configured, stale; each problem with its mend."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict

import click

from cli.checks import Check, environment, pipeline_state, store

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}

#: Each yields the checks of one area; settings come first, since nothing else can be asked when they are wrong.
_AREAS: tuple[Callable[[], Iterable[Check]], ...] = (
    environment.checks,
    store.checks,
    pipeline_state.checks,
)


def examine() -> Iterator[Check]:
    """Every check in order; stops after the settings when they cannot be read."""
    for area in _AREAS:
        for check in area():
            yield check
            if check.name == "settings" and check.level == "problem":
                return


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> None:
    """Look at the whole installation. Exit status 1 if there is a problem."""
    found = []
    for check in examine():
        found.append(check)
        if not as_json:
            _print(check)
    problems = [check for check in found if check.level == "problem"]
    if as_json:
        click.echo(
            json.dumps(
                {"problems": len(problems), "checks": [asdict(check) for check in found]}, ensure_ascii=False, indent=1
            )
        )
    else:
        warnings = sum(check.level == "warning" for check in found)
        click.echo(f"\n{len(problems)} problems, {warnings} warnings, {len(found)} checks")
    raise SystemExit(1 if problems else 0)


def _print(check: Check) -> None:
    mark, colour = _MARKS[check.level]
    click.echo(f"{click.style(mark, fg=colour)} {check.name:<22} {check.detail}")
    if check.mend:
        click.echo(f"  {'':<22} → {check.mend}")
