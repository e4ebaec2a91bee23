"""What the scraper measures."""

from __future__ import annotations

from typing import Final

from xget_scraper.service.jobs import Job
from xget_sources.ports import RawPage
from xget_telemetry.metrics import Registry, Spec

EXECUTIONS: Final = Spec("xget_executions", "Executions, by phase and by what users see.", ("phase", "status"))
PAGES: Final = Spec("xget_scraper_pages_total", "Pages collected and checkpointed.", ("platform", "task_type"))
MATCHES: Final = Spec("xget_scraper_matches_total", "Items on them that answer their task.", ("platform",))
REQUESTS: Final = Spec("xget_scraper_requests_total", "Requests to platforms that these pages took.", ("platform",))
BYTES: Final = Spec("xget_scraper_body_bytes_total", "Bytes of these pages.", ("platform",))
WAITS: Final = Spec(
    "xget_scraper_account_wait_seconds",
    "How long executions were sent to wait because no account had room.",
    ("platform",),
    buckets=(0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0),
)
NO_ACCOUNT: Final = Spec(
    "xget_scraper_no_account_total", "Executions ended because no account can be used.", ("platform",)
)


class CollectorMetrics:
    """The instruments of collecting in this process."""

    def __init__(self, registry: Registry) -> None:
        self._pages = registry.counter(PAGES)
        self._matches = registry.counter(MATCHES)
        self._requests = registry.counter(REQUESTS)
        self._bytes = registry.counter(BYTES)
        self._waits = registry.histogram(WAITS)
        self._no_account = registry.counter(NO_ACCOUNT)

    def page(self, job: Job, page: RawPage, matches: int) -> None:
        """A page is checkpointed."""
        self._pages.labels(job.platform, job.task_type).inc()
        self._matches.labels(job.platform).inc(matches)
        self._requests.labels(job.platform).inc(page.requests)
        self._bytes.labels(job.platform).inc(len(page.body))

    def waits(self, job: Job, seconds: float) -> None:
        """An execution waits for an account."""
        self._waits.labels(job.platform).observe(max(0.0, seconds))

    def no_account(self, job: Job) -> None:
        """An execution ends without an account."""
        self._no_account.labels(job.platform).inc()
