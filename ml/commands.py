"""`crm train`, `crm score`, `crm models`, `crm segments`, `crm forecast`, `crm staff`."""

import json
from typing import TYPE_CHECKING, Any

import click

from core.settings import get_settings

if TYPE_CHECKING:
    from core.i18n import Texts

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def _tell(step: str) -> None:
    click.echo(f"  {step} …", err=True)


def _dump(content: Any) -> None:
    click.echo(json.dumps(content, ensure_ascii=False, indent=1, default=str))


def _texts() -> "Texts":
    from core.i18n import as_language, texts

    return texts("ml", as_language(get_settings().language) or "zh-CN")


@click.command()
@click.argument("models", nargs=-1)
@_JSON
def train(models: tuple[str, ...], as_json: bool) -> None:
    """Learn MODELS (churn offers segment key_customer complaints volume; default: all) from the built marts.

    A version scores from now on if it beats its baseline and ranks no worse than the one in use; else it waits as a
    challenger (crm models compare, promote).
    """
    from ml.training import as_plain
    from ml.training import train as run

    outcomes = run(wanted=models, tell=_tell)
    if as_json:
        _dump(as_plain(outcomes))
        return
    said = _texts()
    for each in outcomes:
        mark = said("models.champion") if each.is_champion else said("models.challenger") if each.version else "–"
        click.echo(f"{each.model:<24}{each.version or '–':<22}{mark:<12}{each.note}")


@click.command()
@click.option("--no-publish", is_flag=True, help="Build the marts of scores, but leave publishing to crm publish.")
@click.option("--no-store", is_flag=True, help="Do not put the scores into the operational store.")
@_JSON
def score(no_publish: bool, no_store: bool, as_json: bool) -> None:
    """Score every customer with every model in use; scores go to the lake, the marts and the store."""
    from dataclasses import asdict

    from ml.scoring import score as run

    result = run(publish=not no_publish, to_store=not no_store, tell=_tell)
    if as_json:
        _dump(asdict(result))
        return
    for model, rows in result.scores.items():
        click.echo(f"{model:<24}{rows:>12,}")
    for model, why in result.left_out.items():
        click.echo(f"{model:<24}{'–':>12}  {why}")
    click.echo(f"As of {result.as_of}; {result.key_changes:,} changes of key levels proposed.")
    if result.run_id:
        click.echo(f"Readers now see run {result.run_id}.")


@click.group()
def models() -> None:
    """The registry of models: what was trained, how good it is, which version scores."""


@models.command("list")
@_JSON
def list_models(as_json: bool) -> None:
    """Every version, the one in use marked."""
    from dataclasses import asdict

    from ml import registry

    settings, said = get_settings(), _texts()
    rows = []
    for model in registry.models(settings):
        champion = registry.champion(settings, model)
        for each in registry.versions(settings, model):
            rows.append((each, champion is not None and champion.version == each.version))
    if as_json:
        _dump([asdict(each) | {"is_champion": used, "words": None} for each, used in rows])
        return
    if not rows:
        click.echo(said("models.none"))
    for each, used in rows:
        mark = said("models.champion") if used else said("models.challenger")
        click.echo(f"{each.model:<24}{each.version:<22}{mark:<12}{_headline(each.metrics)}")


def _headline(metrics: dict[str, Any]) -> str:
    known = ("auc", "baseline_auc", "lift_10", "macro_f1", "wape", "baseline_wape", "rand", "margin_share_score")
    return "  ".join(f"{name} {metrics[name]:.3f}" for name in known if name in metrics)


@models.command()
@click.argument("model")
@click.option("--version", help="Default: the one in use.")
@click.option("--language", type=click.Choice(["zh-CN", "en"]), help="Default: CRM_LANGUAGE.")
def card(model: str, version: str | None, language: str | None) -> None:
    """The card of MODEL: what it is for, how good it is, what it looks at, what it cannot do."""
    from ml import registry

    click.echo(registry.card(get_settings(), model, version, language or get_settings().language))


@models.command()
@click.argument("model")
@click.argument("version")
@click.option("--reason", required=True, help="Why; kept with the promotion.")
@click.option("--by", required=True, help="Who decides.")
@_JSON
def promote(model: str, version: str, reason: str, by: str, as_json: bool) -> None:
    """Let VERSION of MODEL score from now on (also back to an earlier one)."""
    from dataclasses import asdict

    from ml import registry

    made = registry.promote(get_settings(), model, version, by=by, reason=reason)
    if as_json:
        _dump(asdict(made))
    else:
        click.echo(f"{model} {made.version}")


@models.command()
@click.argument("model")
@click.argument("version")
@_JSON
def compare(model: str, version: str, as_json: bool) -> None:
    """VERSION of MODEL beside the one in use, on the same customers at the same date."""
    from ml.training import compare as run

    told = run(get_settings(), model, version)
    if as_json:
        _dump(told)
        return
    for side in ("champion", "challenger"):
        click.echo(f"{side:<12}{_headline(told[side].get('metrics', told[side]))}")
    if "gain" in told:
        click.echo(f"challenger − champion: {-told['gain']['auc']:+.4f} AUC on {told['customers']:,} customers")


@click.command()
@_JSON
def segments(as_json: bool) -> None:
    """The segments in use: size, how each differs, what to do for it, how stable it is."""
    from ml import registry
    from ml.customers.segmentation import MODEL

    found = registry.entry(get_settings(), MODEL)
    if as_json:
        _dump(found.metrics)
        return
    zh = get_settings().language == "zh-CN"
    for each in found.metrics["segments"]:
        click.echo(f"{each['number']}  {each['name_zh' if zh else 'name_en']}  {100 * each['share']:.0f} %"
                   f"  {each['verdict']} ({each['jaccard']:.2f})")  # fmt: skip
        click.echo(f"   {each['differs_zh' if zh else 'differs_en']}")
        click.echo(f"   → {each['action_zh' if zh else 'action_en']}")


@click.command()
@click.option("--no-publish", is_flag=True, help="Build the marts, but leave publishing to crm publish.")
@_JSON
def forecast(no_publish: bool, as_json: bool) -> None:
    """Calls per queue and half-hour for five weeks with quantiles, the seats that they need, and what they leave free.

    Call lists are built and worked within the calls that are left free.
    """
    from ml.forecasting.run import forecast as run

    told = run(publish=not no_publish, tell=_tell)
    if as_json:
        _dump(told)
        return
    click.echo(
        f"{told['calls']:,.0f} calls expected from {told['first']} to {told['last']}, {told['agent_hours']:,.0f} agent"
        f" hours needed, roster {told['gap_hours']:+,.0f} hours; {told['outbound_calls']:,} outgoing calls"
        f" are left free; run {told['run_id'] or '–'}"
    )


@click.command()
@click.option("--volume", default=1.0, show_default=True, help="Calls against the forecast.")
@click.option("--aht", default=1.0, show_default=True, help="Handle time against the measured one.")
@click.option(
    "--target", type=click.FloatRange(0.01, 0.999), help="Share answered in time (default: ml/parameters.yml)."
)
@click.option("--shrinkage", type=click.FloatRange(0, 0.9), help="Share of rostered time that is not worked.")
@_JSON
def staff(volume: float, aht: float, target: float | None, shrinkage: float | None, as_json: bool) -> None:
    """Agents and positions that each day of the last forecast needs, against the roster."""
    from ml.forecasting.run import staff as run

    days = run(volume=volume, handle=aht, target=target, shrinkage=shrinkage)
    if as_json:
        _dump(days)
        return
    for day in days:
        click.echo(f"{day['day']}  calls {day['calls']:>8,.0f}  most agents {day['most_agents']:>4}"
                   f"  positions {day['most_positions']:>4}  agent hours {day['agent_hours']:>8,.1f}"
                   f"  gap {day['gap_hours']:>+8,.1f} h")  # fmt: skip
