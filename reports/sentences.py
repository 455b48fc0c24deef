"""What changed and why, in words: the largest contributions to a figure's change."""

from collections.abc import Mapping, Sequence

from core.display import Figure, show
from core.i18n import Texts
from reports.changes import Contribution

#: Parts that are named; the rest is left unsaid.
NAMED = 3
#: A change smaller than this says nothing: of a count relative to before, of a ratio in fractions.
SMALL_COUNT, SMALL_RATIO = 0.02, 0.005
#: A part is named from this share of the whole change on.
WORTH_NAMING = 0.1


def count_changed(
    text: Texts,
    figure: Figure,
    name: str,
    now: float,
    before: float,
    groups: Sequence[tuple[str, Sequence[Contribution]]],
    names: Mapping[str, str],
) -> str | None:
    """A sentence on a count that moved, None if it hardly did.

    Args:
        text: the reports' texts.
        figure: the figure's unit and decimals.
        name: of the figure.
        now: its value.
        before: its value in the period before.
        groups: the name of a way to part the figure, with the parts' contributions.
        names: part → name.
    """
    if not before or abs(now / before - 1) < SMALL_COUNT:
        return None
    moved = "rose" if now > before else "fell"
    head = text(
        f"change.{moved}",
        name=name,
        now=show(figure, now, text.language),
        before=show(figure, before, text.language),
        amount=f"{(now / before - 1):+.1%}",
    )
    because = [
        text("change.parts", by=by, parts=text("change.and").join(_count_parts(parts, now - before, names)))
        for by, parts in groups
        if _worth(parts, now - before)
    ]
    return _joined(text, head, because)


def ratio_changed(
    text: Texts,
    figure: Figure,
    name: str,
    now: float,
    before: float,
    groups: Sequence[tuple[str, Sequence[Contribution]]],
    names: Mapping[str, str],
) -> str | None:
    """A sentence on a ratio that moved, None if it hardly did; arguments as `count_changed`."""
    if abs(now - before) < SMALL_RATIO:
        return None
    moved = "rose" if now > before else "fell"
    head = text(
        f"change.{moved}",
        name=name,
        now=show(figure, now, text.language),
        before=show(figure, before, text.language),
        amount=text("change.points", value=f"{(now - before) * 100:+.1f}"),
    )
    because = [
        text(
            "change.parts",
            by=by,
            parts=text("change.and").join(
                _ratio_part(text, figure, part, names) for part in _worth(parts, now - before)
            ),
        )
        for by, parts in groups
        if _worth(parts, now - before)
    ]
    return _joined(text, head, because)


def _joined(text: Texts, head: str, because: Sequence[str]) -> str:
    return (
        head + text("change.stop")
        if not because
        else head + text("change.colon") + text("change.next").join(because) + text("change.stop")
    )


def _worth(parts: Sequence[Contribution], change: float) -> list[Contribution]:
    """The largest parts that moved as the whole did."""
    same = [part for part in parts if part.amount * change > 0 and abs(part.amount) >= WORTH_NAMING * abs(change)]
    return same[:NAMED]


def _count_parts(parts: Sequence[Contribution], change: float, names: Mapping[str, str]) -> list[str]:
    return [f"{names.get(part.code, part.code)} {part.amount:+,.0f}" for part in _worth(parts, change)]


def _ratio_part(text: Texts, figure: Figure, part: Contribution, names: Mapping[str, str]) -> str:
    name, points = names.get(part.code, part.code), f"{part.amount * 100:+.1f}"
    if part.now is None or part.before is None or abs(part.mix) > abs(part.rate):
        return text("change.by_mix", name=name, points=points)
    return text(
        "change.by_rate",
        name=name,
        points=points,
        now=show(figure, part.now, text.language),
        before=show(figure, part.before, text.language),
    )
