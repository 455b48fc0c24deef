"""Rendering: one template environment, the reader's language and look, whole pages or just what htmx swaps."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from core.i18n import Language, Texts, as_language, name_field, texts
from core.settings import get_settings
from core.time import to_local, utc_now
from crm_api.capture.menu import menu_of
from crm_api.identity.sessions import Identity
from crm_api.organisation.models import OrgUnit
from crm_api.routing.phones import phone_of

PREFIX = "/app"
LANGUAGE_COOKIE, LOOK_COOKIE, SIZE_COOKIE = "crm_language", "crm_look", "crm_size"
LOOKS, SIZES = ("auto", "light", "dark"), ("normal", "large")
_PACKAGE = "crm_api.capture"
#: Pages hold personal data: no cache keeps them. Styles are files; `data:` images are the form controls' arrows.
_HEADERS = {"Cache-Control": "no-store", "Vary": "HX-Request"}


def language_of(request: Request, fallback: str | None = None) -> Language:
    """The language that the reader chose, else `fallback`, else the browser's first, else the installation's."""
    accepted = request.headers.get("accept-language", "").split(",")[0].split(";")[0]
    for wanted in (request.cookies.get(LANGUAGE_COOKIE), fallback, accepted, get_settings().language):
        found = as_language(wanted) if wanted else None
        if found:
            return found
    return "zh-CN"


def _choice(request: Request, cookie: str, values: tuple[str, ...]) -> str:
    chosen = request.cookies.get(cookie, "")
    return chosen if chosen in values else values[0]


def local_time(value: datetime | None) -> str:
    """An instant as people read it; the year only where it is another one."""
    if value is None:
        return "—"
    local = to_local(value)
    return f"{local:%m-%d %H:%M}" if local.year == to_local(utc_now()).year else f"{local:%Y-%m-%d %H:%M}"


def full_time(value: datetime | None) -> str:
    """An instant to the second, as people read it."""
    return f"{to_local(value):%Y-%m-%d %H:%M:%S}" if value else "—"


def local_day(value: datetime | None) -> str:
    """An instant's day, as people read it."""
    return f"{to_local(value):%Y-%m-%d}" if value else "—"


def yuan(fen: int) -> str:
    """An amount of fen in yuan, for people to read."""
    return f"{'-' if fen < 0 else ''}¥{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def size_text(number: int) -> str:
    """A number of bytes as people read it."""
    if number < 1024:
        return f"{number} B"
    return f"{number / 1024:.0f} KB" if number < 1024 * 1024 else f"{number / 1024 / 1024:.1f} MB"


def span_text(amount: timedelta | None, text: Texts) -> str:
    """A length of time in its two largest units: 1 d 3 h, 2 h 5 min, 40 s."""
    if amount is None:
        return "—"
    seconds = abs(int(amount.total_seconds()))
    parts = (("d", seconds // 86400), ("h", seconds // 3600 % 24), ("min", seconds // 60 % 60), ("s", seconds % 60))
    first = next((index for index, (_, number) in enumerate(parts) if number), 3)
    shown = [text(f"span.{unit}", n=number) for unit, number in parts[first : first + 2] if number or first == 3]
    return " ".join(shown[: 1 if first == 3 else 2])


@lru_cache
def _environment() -> Environment:
    folder = Path(__file__).parent / "templates"
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"local": local_time, "full": full_time, "day": local_day, "yuan": yuan}
    return made


def draw(request: Request, template: str, context: Mapping[str, Any], *, language: Language) -> str:
    """The template's text; `t` gives the page's texts and `name(row)` a reference row's name."""
    text = texts(_PACKAGE, language)
    field = name_field(language)

    def code(group: str, value: object) -> str:
        key = f"{group}.{value}"
        return text(key) if key in text else str(value)

    given = {
        "t": text,
        "tp": texts("crm_api.routing", language),
        "code": code,
        "lang": language,
        "look": _choice(request, LOOK_COOKIE, LOOKS),
        "size": _choice(request, SIZE_COOKIE, SIZES),
        "name": lambda row: getattr(row, field) if row is not None else "—",
        "span": lambda amount: span_text(amount, text),
        "seconds": lambda number: span_text(timedelta(seconds=number), text),
        "file_size": size_text,
        "path": request.url.path,
        "now": utc_now(),
        "epoch": datetime(1970, 1, 1, tzinfo=UTC),
    }
    return _environment().get_template(template).render(given | dict(context))


def is_partial(request: Request) -> bool:
    """Whether htmx asks for what goes into the shell, not for the shell itself."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-target") != "shell"


def render(
    request: Request,
    session: Session,
    identity: Identity,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """A page for somebody who is signed in: whole, or without its shell when htmx swaps it in."""
    partial = is_partial(request)
    given = {"me": identity, "layout": "fragment.html" if partial else "shell.html"} | context
    if not partial:
        given |= {"menu": menu_of(identity), "unit": session.get(OrgUnit, identity.actor.unit_id)}
        given["phone"] = phone_of(session, identity.user_id) if request.app.state.settings.phone_socket else None
    language = language_of(request, identity.language)
    return HTMLResponse(
        draw(request, template, given, language=language), status_code=status, headers=_HEADERS | dict(headers or {})
    )


def render_plain(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page for anybody: the sign-in, an error."""
    content = draw(request, template, context | {"status": status}, language=language_of(request))
    return HTMLResponse(content, status_code=status, headers=_HEADERS)


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, rather than a program."""
    return "text/html" in request.headers.get("accept", "") or request.headers.get("hx-request") == "true"
