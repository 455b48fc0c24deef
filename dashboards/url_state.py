"""What a page shows, as it stands in the URL: `?lang=en&period=custom&from=2026-10-01&to=2026-10-31&city=xian`.

Reading never fails: a value that makes no sense is replaced by the default, with a notice that says so.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from core.i18n import Language, as_language
from core.periods import Period, covers
from dashboards.periods import (
    COMPARISONS,
    PRESETS,
    Comparison,
    Preset,
    compared_with,
    preset_period,
)

DEFAULT_PRESET: Preset = "last_28_days"
DEFAULT_COMPARISON: Comparison = "previous"
#: Days outside are typing errors, and would leave the calendar's range when shifted by a year.
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
#: The parameters that belong to every page.
SHARED = ("lang", "period", "from", "to", "city", "compare")
#: The complaint type that the drill stands at.
DRILL = "type"


@dataclass(frozen=True)
class Notice:
    """A value of the URL that was replaced; `key` is its text, `value` what the URL said."""

    key: str
    value: str


@dataclass(frozen=True)
class View:
    """Language, period, city and comparison of a page; `city` None is the whole scope.

    `runs` are the stretches of days that the marts hold without a hole; none: nothing is known of it.
    """

    language: Language
    preset: Preset
    period: Period
    comparison: Comparison
    city: str | None = None
    runs: tuple[Period, ...] = field(default=(), compare=False)

    @property
    def before(self) -> Period | None:
        """The period that is compared with; None: none, or the data hold it only in part."""
        return self.compared("none") if self.uncovered(self.comparison) else self.compared(self.comparison)

    def compared(self, comparison: Comparison) -> Period | None:
        """The period that a comparison asks for, whether or not the data hold it."""
        return compared_with(self.period, comparison, self.preset)

    def uncovered(self, comparison: Comparison) -> date | None:
        """The day from which on the data are whole, if they hold the period compared with only in part; else None."""
        wanted = self.compared(comparison)
        if wanted is None or not self.runs or covers(self.runs, wanted):
            return None
        return next((run.first for run in reversed(self.runs) if run.first <= self.period.last), self.runs[0].first)

    def to_params(self) -> dict[str, str]:
        """The URL's parameters; reading them back gives the same view. A city of None is left out."""
        params: dict[str, str] = {"lang": self.language, "period": self.preset, "compare": self.comparison}
        if self.preset == "custom":
            params |= {"from": self.period.first.isoformat(), "to": self.period.last.isoformat()}
        if self.city is not None:
            params["city"] = self.city
        return params


@dataclass(frozen=True)
class Known:
    """What the marts hold: days, the last complete one, the cities that the viewer sees, stretches without a hole."""

    days: Period
    anchor: date
    cities: Collection[str]
    runs: tuple[Period, ...] = ()


def read_language(params: Mapping[str, str], default: Language) -> tuple[Language, list[Notice]]:
    """The language of the URL, or `default`."""
    wanted = params.get("lang", "")
    language = as_language(wanted) if wanted else default
    return (language, []) if language else (default, [Notice("notice.language", wanted)])


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None


def _read_period(params: Mapping[str, str], known: Known) -> tuple[Preset, Period, list[Notice]]:
    fallback = preset_period(DEFAULT_PRESET, data=known.days, anchor=known.anchor)
    wanted = params.get("period", "custom" if params.get("from") or params.get("to") else DEFAULT_PRESET)
    preset = next((each for each in PRESETS if each == wanted), None)
    if preset is None:
        return DEFAULT_PRESET, fallback, [Notice("notice.period", wanted)]
    if preset != "custom":
        return preset, preset_period(preset, data=known.days, anchor=known.anchor), []
    first, last = _day(params.get("from", "")), _day(params.get("to", ""))
    if first is None or last is None or last < first:
        said = f"{params.get('from', '')} – {params.get('to', '')}"
        return DEFAULT_PRESET, fallback, [Notice("notice.dates", said)]
    return "custom", Period(first, last), []


def read_view(params: Mapping[str, str], *, default_language: Language, known: Known) -> tuple[View, list[Notice]]:
    """The view that the URL asks for, and a notice for each value that had to be replaced."""
    language, notices = read_language(params, default_language)
    preset, period, more = _read_period(params, known)
    notices += more
    wanted = params.get("compare", DEFAULT_COMPARISON)
    comparison = next((each for each in COMPARISONS if each == wanted), None)
    if comparison is None:
        comparison = DEFAULT_COMPARISON
        notices.append(Notice("notice.compare", wanted))
    city = params.get("city") or None
    if city is not None and city not in known.cities:
        notices.append(Notice("notice.city", city))
        city = None
    return View(language, preset, period, comparison, city, known.runs), notices


def with_preset(view: View, preset: Preset, known: Known) -> View:
    """The same view over another preset; `custom` starts from the days shown now."""
    if preset == "custom":
        return replace(view, preset=preset)
    return replace(view, preset=preset, period=preset_period(preset, data=known.days, anchor=known.anchor))
