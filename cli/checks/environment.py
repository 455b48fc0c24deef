"""The machine and the installation: Python, packages against the lock, settings, disk, holidays."""

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cli.checks import Check, size
from core.calendar import HOLIDAYS_KNOWN_UNTIL
from core.errors import ConfigurationError
from core.settings import Settings, get_settings
from core.time import to_local, utc_now
from dashboards.scope import DashboardSettings

LOCK = Path(__file__).parents[2] / "requirements.lock"
WANTED_PYTHON = (3, 11)
LOW_DISK, SHORT_DISK = 2_000_000_000, 10_000_000_000
HOLIDAY_NOTICE = timedelta(days=60)
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)(?:\s*;\s*([^\\]+))?", re.MULTILINE)


def checks() -> Iterator[Check]:
    """Python, packages, settings, disk space, holidays."""
    yield python(sys.version_info[:2])
    yield packages(LOCK)
    yield settings()
    try:
        home = get_settings().home
    except ConfigurationError:
        return
    yield disk(home)
    yield holidays(to_local(utc_now()).date(), HOLIDAYS_KNOWN_UNTIL)


def python(running: tuple[int, int]) -> Check:
    """The running Python against the one that the lock was tried on."""
    shown, wanted = (".".join(map(str, each)) for each in (running, WANTED_PYTHON))
    if running == WANTED_PYTHON:
        return Check("python", "ok", f"{sys.version.split()[0]} at {sys.executable}")
    return Check("python", "problem", f"{shown}; the lock was tried on {wanted}", f"Set up again with Python {wanted}.")


def packages(lock: Path) -> Check:
    """Installed versions against the lock's pins."""
    if not lock.is_file():
        return Check("packages", "warning", f"no lock at {lock} to compare with", "Run from a clone of the project.")
    pins = {name: pin for name, pin, marker in _PIN.findall(lock.read_text(encoding="utf-8")) if _applies(marker)}
    wrong = [text for name, pin in pins.items() if (text := _difference(name, pin))]
    if not wrong:
        return Check("packages", "ok", f"{len(pins)} installed as the lock pins them")
    shown = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
    return Check("packages", "problem", f"{len(wrong)} of {len(pins)} differ: {shown}", "Set up again: make setup")


def _applies(marker: str) -> bool:
    if not marker.strip():
        return True
    from packaging.markers import Marker

    return Marker(marker.strip()).evaluate()


def _difference(name: str, pin: str) -> str:
    try:
        found = version(name)
    except PackageNotFoundError:
        return f"{name} is not installed (lock: {pin})"
    return "" if found == pin else f"{name} is {found} (lock: {pin})"


def settings() -> Check:
    """Whether the CRM_ variables make sense."""
    try:
        read = get_settings()
    except ConfigurationError as error:
        return Check("settings", "problem", error.message, error.mend)
    misspelt = _misspelt(os.environ)
    if misspelt:
        told = "; ".join(f"{name} is not read" for name in misspelt)
        return Check("settings", "warning", told, f"Did you mean {', '.join(misspelt.values())}?")
    return Check(
        "settings",
        "ok",
        f"CRM_HOME {read.home}, language {read.language}, service level within {read.service_level_seconds} s, "
        f"short abandon up to {read.short_abandon_seconds} s",
    )


def _misspelt(variables: Iterable[str]) -> dict[str, str]:
    """Variables that look like one of ours but are not: name → the one that was probably meant."""
    known = {f"CRM_{field}".upper() for field in Settings.model_fields}
    known |= {f"CRM_DASHBOARD_{field}".upper() for field in DashboardSettings.model_fields}
    strange = (name for name in sorted(variables) if name.startswith("CRM_") and name not in known)
    meant = {name: get_close_matches(name, known, n=1, cutoff=0.8) for name in strange}
    return {name: close[0] for name, close in meant.items() if close}


def disk(home: Path) -> Check:
    """Free space where CRM_HOME lies, and whether it can be written."""
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    if not os.access(there, os.W_OK):
        return Check("disk", "problem", f"{there} cannot be written", "Change its owner, or set CRM_HOME.")
    free = shutil.disk_usage(there).free
    detail = f"{size(free)} free at {there}"
    if free < LOW_DISK:
        return Check("disk", "problem", detail, "Free some space: a build needs room for a second copy of the marts.")
    if free < SHORT_DISK:
        return Check("disk", "warning", detail, "Large builds may run out of space; keep 10 GB free.")
    return Check("disk", "ok", detail)


def holidays(today: date, known_until: date) -> Check:
    """Whether the holiday library still knows the State Council's days."""
    detail = f"known until {known_until}"
    mend = "Upgrade the package chinesecalendar once the State Council has announced the next year, then: crm init"
    if today > known_until:
        return Check("holidays", "problem", f"{detail}: business time now follows the plain week", mend)
    if today + HOLIDAY_NOTICE > known_until:
        return Check("holidays", "warning", f"{detail}: {(known_until - today).days} days left", mend)
    return Check("holidays", "ok", detail)
