"""Where a person goes after signing in: back to a page of ours, and to nobody else's."""

from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from crm_api.capture.pages import PREFIX, render_plain
from crm_api.web.settings import WebSettings


def inner(address: str, request: Request, settings: WebSettings) -> str:
    """`address` if it is a page of ours (the frontend's or the analysts'), else the beginning."""
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.scheme or parts.netloc else ""
    within = any(
        origin == base and (not path or parts.path == path or parts.path.startswith(f"{path}/"))
        for base, path in _places(request, settings)
    )
    return parts.geturl() if within and "\\" not in address else PREFIX


def _places(request: Request, settings: WebSettings) -> set[tuple[str, str]]:
    """Origin ("" is this one) and path of what is ours."""
    pages = urlsplit(settings.pages_url)
    if pages.netloc:
        # A browser may know this host by another name (localhost); the pages' port stays.
        port = f":{pages.port}" if pages.port else ""
        return {("", PREFIX), (settings.pages_url, ""), (f"{pages.scheme}://{request.url.hostname}{port}", "")}
    if pages.path:
        # Behind a proxy the scheme that the browser used may not be known here.
        host = request.headers.get("host", "")
        return {("", PREFIX)} | {(base, pages.path) for base in ("", f"http://{host}", f"https://{host}")}
    return {("", PREFIX)}


def onward(request: Request, address: str) -> Response:
    """Lead a browser that has just signed in to `address`, which `inner` gave."""
    if not urlsplit(address).netloc:
        return RedirectResponse(address, status_code=303)
    # A form's redirect to another port is refused by our own policy (form-action 'self'); a page may go there.
    return render_plain(request, "onward.html", address=address)
