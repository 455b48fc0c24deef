"""What Prometheus reads: requests by route and status, their time, refusals, and whether the store answers."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import Scope


class Metrics:
    """The measurements of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("crm_requests_total", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "crm_request_seconds",
            "Time to the end of the answer.",
            ("method", "route"),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=self.registry,
        )
        self.in_flight = Gauge("crm_requests_in_flight", "Requests being worked on.", registry=self.registry)
        self.shed = Counter("crm_requests_shed_total", "Requests refused at once (503).", registry=self.registry)
        self.limited = Counter("crm_requests_limited_total", "Requests refused (429).", registry=self.registry)
        self.logins = Counter("crm_logins_total", "Sign-ins by outcome.", ("outcome",), registry=self.registry)

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one answer under its route's template (an unknown path is one route, so labels stay few)."""
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """The exposition in Prometheus' text format."""
        return generate_latest(self.registry)


_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
