"""Refusals as a person reads them: in the page, in their language; programs get the problem document."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from inspect import iscoroutinefunction
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from core.errors import CrmError
from core.i18n import Texts, texts
from crm_api.capture.pages import PREFIX, draw, language_of, render_plain, wants_page
from crm_api.errors import NotAllowedError, RefusedError
from crm_api.tickets.bulk import Outlook
from crm_api.tickets.errors import EditedMeanwhileError, MissingFieldsError, WrongStateError
from crm_api.wording import in_language

_NAMED = re.compile(r"(\w+) is (missing|.)")
_Handler = Callable[[Request, Any], Response]


def explain(error: Exception, status: int, text: Texts) -> tuple[str, list[str]]:
    """What a person is told: a sentence, and details (fields that are missing or differ, the refusal's own words)."""
    if isinstance(error, MissingFieldsError):
        return text("refused.missing"), [_label(text, name) for name in error.fields]
    if isinstance(error, EditedMeanwhileError):
        told = [
            text("refused.theirs", field=_label(text, name), value=each.theirs, actor=each.actor or "—")
            for name, each in error.differences.items()
        ]
        return text("refused.meanwhile"), told
    if isinstance(error, WrongStateError):
        key = f"guard.{error.guard}"
        return text(key if key in text else "guard.state"), _own_words(error, text)
    if isinstance(error, NotAllowedError):
        return text("refused.not_allowed"), _own_words(error, text)
    key = f"refused.{status}"
    details = _own_words(error, text) if isinstance(error, CrmError) else []
    return text(key if key in text else "refused.other"), details


def _own_words(error: CrmError, text: Texts) -> list[str]:
    """The refusal's own words where the reader reads English; else which field it names, or what `wording` has for it.

    Services speak English; what they say of a field (“title is missing.”, “score is 9, …”) is told in the page's words.
    """
    if text.language == "en":
        return [line for line in (error.message, error.mend) if line]
    found = _NAMED.match(error.message)
    if found is None or f"field.{found[1]}" not in text:
        worded = [(line, in_language(line, text.language)) for line in (error.message, error.mend) if line]
        return [line for english, line in worded if line != english]
    label = _label(text, found[1])
    return [text("refused.field_missing" if found[2] == "missing" else "refused.field_wrong", field=label)]


def in_words(request: Request, outlooks: Sequence[Outlook], fallback: str | None = None) -> list[Outlook]:
    """What a bulk action does to each ticket, refusals in the reader's language (`fallback`: the account's)."""
    text = texts("crm_api.capture", language_of(request, fallback))

    def told(error: RefusedError) -> str:
        sentence, details = explain(error, error.status, text)
        return " ".join([sentence, *details])

    return [replace(each, refusal=told(each.refused)) if each.refused else each for each in outlooks]


def _label(text: Texts, name: str) -> str:
    key = f"field.{name}"
    return text(key) if key in text else name


def _page(request: Request, error: Exception, answer: Response) -> Response:
    status = answer.status_code
    if status == 401 and request.headers.get("hx-request") != "true":
        return RedirectResponse(f"/sign-in?next={request.url.path}", status_code=303)
    if status == 401:
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    language = language_of(request)
    sentence, details = explain(error, status, texts("crm_api.capture", language))
    context: dict[str, Any] = {"sentence": sentence, "details": details, "status": status}
    if request.headers.get("hx-request") != "true":
        return render_plain(request, "error.html", **context)
    headers = {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML", "HX-Push-Url": "false", "HX-Reselect": ".refusal"}
    content = draw(request, "refusal.html", context, language=language)
    return Response(content, status_code=status, media_type="text/html", headers=headers)


def _for_pages(inner: _Handler) -> _Handler:
    def handle(request: Request, error: Any) -> Response:
        answer = inner(request, error)
        if not request.url.path.startswith(PREFIX) or not wants_page(request):
            return answer
        return _page(request, error, answer)

    return handle


def install(app: FastAPI) -> None:
    """Let every registered failure of a page be shown as one; call it after the API's own handlers are registered."""
    for kind, inner in list(app.exception_handlers.items()):
        if iscoroutinefunction(inner):
            continue
        app.add_exception_handler(kind, _for_pages(inner))  # type: ignore[arg-type]  # Starlette's handlers take any exception
