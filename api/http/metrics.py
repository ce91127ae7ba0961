"""`/metrics`: the registry's state and this process's requests, in Prometheus' text format."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from deedlog.api.http.health import Health

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30)


class Metrics:
    """The counters of one web process."""

    def __init__(self) -> None:
        """Start with all counters at zero."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "deedlog_http_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "deedlog_http_request_seconds", "Time to the answer.", ("route",), buckets=_SECONDS, registry=self._registry
        )
        self._statements = Counter(
            "deedlog_statements", "Statements answered.", ("kind", "outcome"), registry=self._registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def statements(self, kind: str, outcome: str, count: int) -> None:
        """Count statements that were accepted, known or a repeat."""
        self._statements.labels(kind, outcome).inc(count)

    def show(self, health: Health | None) -> bytes:
        """Return all metrics; without the registry's state if the database does not answer (`health` is None)."""
        shown = CollectorRegistry()
        shown.register(_State(health))
        return generate_latest(shown) + generate_latest(self._registry)


class _State:
    """The registry's state as metrics."""

    def __init__(self, health: Health | None) -> None:
        self._health = health

    def collect(self) -> Iterable[Metric]:
        """Yield each metric with its help text."""
        health = self._health
        yield _gauge("deedlog_up", "Whether the database answers.", float(health is not None))
        if health is None:
            return
        yield _gauge("deedlog_log_size", "Entries in the committed log.", health.log_size)
        yield _gauge("deedlog_checkpoint_age_seconds", "Age of the newest checkpoint.", health.checkpoint_age)
        yield _gauge(
            "deedlog_unlogged_age_seconds", "Age of the oldest statement not logged.", health.unlogged_age or 0
        )
        yield _gauge("deedlog_anchored_size", "Entries under the newest anchor.", health.anchored_size)
        yield _gauge(
            "deedlog_unanchored_age_seconds", "Age of the oldest statement not anchored.", health.unanchored_age or 0
        )
        yield _gauge("deedlog_anchor_deadline_seconds", "Age at which that is an alarm.", health.anchor_deadline)
        if health.balance is not None:
            yield _gauge("deedlog_operator_balance_wei", "The operator's balance when last seen.", health.balance)
        checks = GaugeMetricFamily("deedlog_check", "Whether a check of /readyz holds.", labels=("check",))
        for name, holds in health.checks().items():
            checks.add_metric((name,), float(holds))
        yield checks
        alarms = GaugeMetricFamily("deedlog_alarm", "Alarms raised now; the value is since when.", labels=("code",))
        for alarm in health.alarms:
            alarms.add_metric((alarm.code,), alarm.since)
        yield alarms


class CountRequests:
    """ASGI middleware that counts each request under its route's path, never under the path that a client typed."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wrap an application; count in `metrics`."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.request(scope["method"], route, status, time.perf_counter() - start)


def _gauge(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, value=value)
