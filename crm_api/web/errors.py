"""Every failure as a problem document (RFC 9457): our refusals, the validator's, the store's."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException

from core.errors import BadInputError, CrmError, StoreUnavailableError
from crm_api.errors import RefusedError
from crm_api.wording import asked_language, in_language, of_validator

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger("crm.api")
_RETRY_SECONDS = "2"


class FieldProblem(BaseModel):
    """One field that is wrong."""

    field: str = Field(examples=["body.reason"])
    message: str


class Problem(BaseModel):
    """What went wrong, for a program (type, status) and for a person (detail, mend)."""

    type: str = Field(examples=["urn:crm:problem:not-found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no customer 7."])
    mend: str | None = Field(default=None, examples=["Search for it by number or name."])
    request_id: str | None = None
    errors: list[FieldProblem] = Field(default_factory=list)
    extra: dict[str, Any] = Field(default_factory=dict, description="What this kind of problem adds")


def problem_response(
    request: Request,
    status: int,
    detail: str,
    *,
    slug: str | None = None,
    mend: str | None = None,
    errors: list[FieldProblem] | None = None,
    headers: dict[str, str] | None = None,
    extra: dict[str, Any] | None = None,
) -> JSONResponse:
    """A problem document; `slug` defaults to the status' name. Words follow Accept-Language where it is Chinese."""
    language = asked_language(request.headers.get("accept-language", ""))
    detail, mend = in_language(detail, language), in_language(mend or "", language)
    title = HTTPStatus(status).phrase
    body = Problem(
        type=f"urn:crm:problem:{slug or title.lower().replace(' ', '-')}",
        title=title,
        status=status,
        detail=detail,
        mend=mend or None,
        request_id=getattr(request.state, "request_id", None),
        errors=errors or [],
        extra=extra or {},
    )
    content = body.model_dump(mode="json", exclude_defaults=True)
    return JSONResponse(content, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def _crm_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CrmError)  # noqa: S101 - how the handler is registered
    if isinstance(error, StoreUnavailableError):
        return _unavailable(request, error)
    status = error.status if isinstance(error, RefusedError) else 422 if isinstance(error, BadInputError) else 400
    slug = error.slug if isinstance(error, RefusedError) else None
    extra = getattr(error, "extra", None)
    detail, mend = error.message, error.mend
    chinese = error.in_chinese if isinstance(error, RefusedError) else None
    if chinese is not None and asked_language(request.headers.get("accept-language", "")) != "en":
        detail, mend = chinese
    return problem_response(request, status, detail, slug=slug, mend=mend, extra=extra)


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    headers = dict(error.headers) if error.headers else None
    return problem_response(request, error.status_code, str(error.detail), headers=headers)


def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    language = asked_language(request.headers.get("accept-language", ""))
    # The input itself is never echoed: it may be a password.
    problems = [
        FieldProblem(
            field=".".join(str(part) for part in item["loc"]),
            message=of_validator(item["type"], item["msg"], item.get("ctx", {}), language),
        )
        for item in error.errors()
    ]
    return problem_response(
        request, 422, "Some fields are missing or wrong.", slug="invalid", mend="See errors.", errors=problems
    )


def _conflict(request: Request, error: Exception) -> JSONResponse:
    _LOG.warning("refused by a constraint: %s", getattr(error, "orig", error))
    return problem_response(
        request, 409, "The store refused the change: it contradicts what is there.", mend="Read it again, then retry."
    )


def _outdated(request: Request, _error: Exception) -> JSONResponse:
    return problem_response(
        request, 412, "Somebody else changed this meanwhile.", slug="outdated", mend="Read it again, then retry."
    )


def _bad_data(request: Request, error: Exception) -> JSONResponse:
    _LOG.warning("a value the store cannot hold: %s", type(getattr(error, "orig", error)).__name__)
    return problem_response(request, 422, "A value cannot be stored.", mend="Shorten it or remove odd characters.")


def _unavailable(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("the store does not answer: %s", getattr(error, "orig", error))
    return problem_response(
        request,
        503,
        "The operational store does not answer just now.",
        mend="Try again shortly; an operator may look at: crm doctor",
        headers={"Retry-After": _RETRY_SECONDS},
    )


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("unforeseen failure of %s %s", request.method, request.url.path, exc_info=error)
    return problem_response(request, 500, "This is a defect of the program.", mend="Report it with the request id.")


def install(app: FastAPI) -> None:
    """Register the handlers."""
    for kind, handler in (
        (CrmError, _crm_error),
        (HTTPException, _http_error),
        (RequestValidationError, _validation_error),
        (IntegrityError, _conflict),
        (StaleDataError, _outdated),
        (DataError, _bad_data),
        (OverflowError, _bad_data),
        (OperationalError, _unavailable),
        (PoolTimeoutError, _unavailable),
        (Exception, _unforeseen),
    ):
        app.add_exception_handler(kind, handler)


_MEANINGS = {
    400: "The request cannot be read",
    401: "Nobody is signed in",
    403: "Your role may not do this, or the CSRF token or origin is wrong",
    404: "Nothing by that name within your scope",
    409: "It contradicts what is there",
    412: "Somebody else changed it meanwhile",
    413: "The body is too large",
    422: "Fields are missing or wrong",
    428: "Name the version you read in If-Match",
    429: "Too many requests: wait as Retry-After says",
    503: "Overloaded or the store is away: wait as Retry-After says",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: those every route may give, and `statuses`."""
    listed = sorted({400, 401, 403, 413, 422, 429, 503, *statuses})
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _MEANINGS[status], "content": content} for status in listed}
