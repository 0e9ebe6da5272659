"""The lab in numbers, in Prometheus' format: requests of this process, and the state that Postgres
knows of runs, queue and workers."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Max, Min
from django.utils import timezone
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from webapp.observability.models import RecentError
from webapp.runs.models import Run, Status
from webapp.workers.selectors import live_workers

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
UP_TO_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)

REGISTRY = CollectorRegistry()
_requests = Histogram(
    "lab_http_request_seconds",
    "Seconds from a request to its answer.",
    ("method", "route", "status"),
    buckets=UP_TO_SECONDS,
    registry=REGISTRY,
)


def observe_request(*, method: str, route: str, status: int, seconds: float) -> None:
    """One answered request. A method that HTTP does not know counts as `other`: anybody may send
    one, and every label is kept for ever."""
    labels = (method if method in METHODS else "other", route, str(status))
    _requests.labels(*labels).observe(seconds)


def exposition() -> bytes:
    """All metrics as text, version 0.0.4 of the format."""
    return generate_latest(REGISTRY)


class LabState:
    """What every web process would say alike: read from Postgres at each scrape."""

    def describe(self) -> Iterator[Metric]:
        """Nothing before the first scrape: the names must not cost a query at import."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        runs = GaugeMetricFamily(
            "lab_runs", "Runs by status and queue.", labels=("status", "queue")
        )
        for status, queue, count in (
            Run.objects.order_by().values_list("status", "queue").annotate(Count("pk"))
        ):
            runs.add_metric((status, queue), count)
        yield runs

        waiting = GaugeMetricFamily(
            "lab_longest_wait_seconds",
            "How long the oldest queued run has waited.",
            labels=("queue",),
        )
        for queue, oldest in (
            Run.objects.order_by()
            .filter(status=Status.QUEUED)
            .values_list("queue")
            .annotate(Min("created_at"))
        ):
            waiting.add_metric((queue,), (now - oldest).total_seconds())
        yield waiting

        workers = GaugeMetricFamily("lab_workers", "Live workers by queue.", labels=("queue",))
        slots = GaugeMetricFamily(
            "lab_worker_slots", "Runs that live workers execute at once.", labels=("queue",)
        )
        alive: dict[str, list[int]] = {}
        for worker in live_workers():
            for queue in worker.queues.split(","):
                alive.setdefault(queue, []).append(worker.slots)
        for queue, each in alive.items():
            workers.add_metric((queue,), len(each))
            slots.add_metric((queue,), sum(each))
        yield workers
        yield slots

        errors = RecentError.objects.aggregate(kinds=Count("pk"), newest=Max("last_seen"))
        yield GaugeMetricFamily(
            "lab_recent_errors", "Different errors that are kept.", value=errors["kinds"]
        )


REGISTRY.register(LabState())
