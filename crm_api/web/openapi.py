"""The OpenAPI document: problem documents, the two ways to sign in, and which routes need them."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from crm_api.identity.permissions import Permission
from crm_api.web.dependencies import SESSION_COOKIE, permissions_declared
from crm_api.web.errors import FieldProblem, Problem

_REF = "#/components/schemas/{model}"
_SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
    "token": {"type": "http", "scheme": "bearer", "description": "An API token"},
}


def _describe(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in (Problem, FieldProblem):
        schema = model.model_json_schema(ref_template=_REF)
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    components["securitySchemes"] = _SCHEMES
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            _secure(document["paths"][route.path_format], route)
    return document


def _secure(path: dict[str, Any], route: APIRoute) -> None:
    needed = [mark for mark in permissions_declared(route) if isinstance(mark, Permission)]
    for method in route.methods:
        operation = path.get(method.lower())
        if operation is None:
            continue
        operation["security"] = [{"session": []}, {"token": []}] if needed else []
        if needed:
            operation["x-permission"] = needed[0].value


def install(app: FastAPI) -> None:
    """Make `app.openapi()` give the whole document, made once."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
