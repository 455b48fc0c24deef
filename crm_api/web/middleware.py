"""Middleware around every route (plain ASGI, outermost first): telling, shedding, limiting, guarding the body."""

import asyncio
import json
import re
import secrets
import time
from collections import OrderedDict, deque
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_api.identity.secrets import digest
from crm_api.web.metrics import Metrics
from crm_api.web.settings import WebSettings
from crm_api.wording import asked_language, in_language

_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(), camera=(), microphone=(self)"),
)
_POLICY = (
    "default-src 'self'; img-src 'self' data:; connect-src 'self' wss:{socket}; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEALTH = ("/healthz", "/readyz", "/metrics")
#: Browsers' live lines stay open for minutes and work on next to nothing.
_LIVE = ("/app/events",)
#: The JSON escape of a null byte: an odd number of backslashes before u0000.
_ESCAPED_NULL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_REMEMBERED_CALLERS = 20_000


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _refuse(scope: Scope, send: Send, status: int, detail: str, *, retry_after: int | None = None) -> None:
    title = HTTPStatus(status).phrase
    language = asked_language(_header(scope, b"accept-language"))
    body = {
        "type": f"urn:crm:problem:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": in_language(detail, language),
        "request_id": scope.get("state", {}).get("request_id"),
    }
    headers = [(b"content-type", b"application/problem+json")]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


class Telling:
    """Request id, security headers, and the measurements of every answer."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, phone_socket: str = "") -> None:
        self._app = app
        self._metrics = metrics
        # A phone's socket on another port is another origin; wss is allowed anyway.
        socket = f" {'/'.join(phone_socket.split('/')[:3])}" if phone_socket.startswith("ws://") else ""
        policy = (b"content-security-policy", _POLICY.format(socket=socket).encode())
        self._security = (*_SECURITY_HEADERS, policy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 500

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *self._completed(scope, message["headers"]),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await self._app(scope, receive, tell)
        finally:
            self._metrics.observe(scope, status, time.perf_counter() - started)

    def _completed(self, scope: Scope, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        present = {name.lower() for name, _ in headers}
        added = [pair for pair in self._security if pair[0] not in present]
        if scope.get("scheme") == "https":
            added.append((b"strict-transport-security", b"max-age=31536000"))
        if b"cache-control" not in present and scope["path"].startswith("/api/"):
            added.append((b"cache-control", b"no-store"))
        return [*headers, *added]


class Shedding:
    """Works on few requests at once, lets some wait their turn for a moment, and refuses the rest at once (503).

    Python works on few things at once whatever is asked of it: more at the same time makes each slower, and after an
    overload the queue would be served to callers long gone. So who waited too long is refused too, and nothing is left
    of an overload a moment after its end. Capture (a writing call) has waiting places of its own and comes first, but
    for every fourth turn, so that reading goes on too.
    """

    def __init__(self, app: ASGIApp, settings: WebSettings, metrics: Metrics) -> None:
        self._app = app
        self._at_once = min(settings.requests_at_once, settings.requests_in_flight)
        self._limit = settings.requests_in_flight
        self._reserved = settings.reserved_in_flight
        self._longest = settings.longest_wait_seconds
        self._metrics = metrics
        self._working = 0
        self._turns = 0
        self._writing: deque[asyncio.Future[None]] = deque()
        self._reading: deque[asyncio.Future[None]] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or scope["path"] in (*_HEALTH, *_LIVE):
            await self._app(scope, receive, send)
            return
        writes = scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if not await self._enter(writes):
            self._metrics.shed.inc()
            await _refuse(scope, send, 503, "The server is at its limit.", retry_after=1)
            return
        inside = True

        def leave() -> None:
            nonlocal inside
            if inside:
                inside = False
                self._leave()

        async def answer(message: Message) -> None:
            # The work is done when the answer begins; a slow reader of a long file keeps nobody waiting.
            if message["type"] == "http.response.start":
                leave()
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            leave()

    async def _enter(self, writes: bool) -> bool:
        """Whether the request may be worked on now; waits its turn while there are places to wait."""
        present = self._working + len(self._writing) + len(self._reading)
        if present >= self._limit + (self._reserved if writes else 0):
            return False
        if self._working < self._at_once:
            self._working += 1
            self._metrics.in_flight.set(self._working)
            return True
        queue = self._writing if writes else self._reading
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            async with asyncio.timeout(self._longest):
                await turn
        except (TimeoutError, asyncio.CancelledError) as error:
            if turn in queue:
                queue.remove(turn)
            if turn.done() and not turn.cancelled():
                # The turn came in the same moment: it is the next one's.
                self._leave()
            if isinstance(error, asyncio.CancelledError):
                raise
            return False
        return True

    def _leave(self) -> None:
        """Hand the place to who waits, writing calls first but for every fourth turn."""
        self._turns += 1
        first, second = (self._writing, self._reading) if self._turns % 4 else (self._reading, self._writing)
        for queue in (first, second):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._working -= 1
        self._metrics.in_flight.set(self._working)


class Limiting:
    """A token bucket per session, API token or (for strangers) address: 429 with Retry-After beyond it."""

    def __init__(self, app: ASGIApp, settings: WebSettings, metrics: Metrics) -> None:
        self._app = app
        self._rate = settings.requests_per_second
        self._burst = settings.requests_burst
        self._metrics = metrics
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or scope["path"] in _HEALTH:
            await self._app(scope, receive, send)
            return
        wait = self._take(self._caller(scope))
        if wait > 0:
            self._metrics.limited.inc()
            await _refuse(scope, send, 429, "Too many requests from you.", retry_after=max(1, round(wait + 0.5)))
            return
        await self._app(scope, receive, send)

    @staticmethod
    def _caller(scope: Scope) -> str:
        credential = _header(scope, b"authorization") or _session_cookie(_header(scope, b"cookie"))
        if credential:
            return digest(credential)
        client = scope.get("client")
        return client[0] if client else "unknown"

    def _take(self, caller: str) -> float:
        """Seconds to wait, 0 if the request may go on."""
        now = time.monotonic()
        filled, at = self._buckets.get(caller, (float(self._burst), now))
        filled = min(self._burst, filled + (now - at) * self._rate)
        wait = 0.0 if filled >= 1 else (1 - filled) / self._rate
        self._buckets[caller] = (filled - 1 if filled >= 1 else filled, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _REMEMBERED_CALLERS:
            self._buckets.popitem(last=False)
        return wait


def _session_cookie(cookies: str) -> str:
    return next((part.strip() for part in cookies.split(";") if part.strip().startswith("crm_session=")), "")


class Guarding:
    """Refuses bodies that are too large (413) and null bytes anywhere (400), before any route sees them."""

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        self._app = app
        self._body = settings.max_body_bytes
        self._upload = settings.max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if b"\0" in unquote_to_bytes(scope.get("raw_path", b"")) + unquote_to_bytes(scope["query_string"]):
            await _refuse(scope, send, 400, "The address contains a null byte.")
            return
        kind = _header(scope, b"content-type").lower()
        uploads = kind.startswith("multipart/form-data")
        limit = self._upload if uploads else self._body
        announced = _header(scope, b"content-length")
        if announced.isdigit() and int(announced) > limit:
            await _refuse(scope, send, 413, f"The body has {announced} bytes; {limit} are allowed.")
            return
        if uploads:
            await self._app(scope, _counted(receive, limit), send)
            return
        messages = await _whole_body(receive, limit)
        if messages is None:
            await _refuse(scope, send, 413, f"The body has more than the {limit} bytes allowed.")
        elif _holds_null(kind, b"".join(message.get("body", b"") for message in messages)):
            await _refuse(scope, send, 400, "The body contains a null byte.")
        else:
            await self._app(scope, _replayed(messages, receive), send)


async def _whole_body(receive: Receive, limit: int) -> list[Message] | None:
    messages, size = [], 0
    while True:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if size > limit:
            return None
        if message["type"] != "http.request" or not message.get("more_body"):
            return messages


def _counted(receive: Receive, limit: int) -> Receive:
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise HTTPException(413, f"The body has more than the {limit} bytes allowed.")
        return message

    return counted


def _holds_null(kind: str, body: bytes) -> bool:
    if b"\0" in body or ("urlencoded" in kind and b"%00" in body):
        return True
    return b"u0000" in body and _ESCAPED_NULL.search(body) is not None


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def replay() -> Message:
        return next(waiting, None) or await receive()

    return replay
