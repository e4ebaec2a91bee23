"""Settings of the scraper service."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from xget_kernel.settings import ServiceSettings


class Settings(ServiceSettings):
    """The common settings and what only the scraper needs."""

    default_port: ClassVar[int] = 8003

    scraper_concurrency: int = Field(4, ge=1, le=256)
    """Executions that one worker collects at the same time."""
    scraper_lease_seconds: float = Field(6.0, gt=0, le=600)
    """A worker that has been silent for so long is taken for dead and another continues."""
    scraper_poll_seconds: float = Field(1.0, gt=0, le=60)
    """How often a worker looks for work when nobody wakes it."""
    scraper_observe_seconds: float = Field(30.0, gt=0, le=3600)
    """How often posts that are due to be seen again are gathered into an execution: so late may a look be."""
    scraper_max_wait_hours: float = Field(24.0, gt=0, le=24 * 30)
    """How long an execution may wait for room at the rate limits before it ends as rate_limited_out."""
    scraper_drain_seconds: float = Field(6.0, gt=0, le=600)
    """How long a stopping worker lets the page in hand finish."""
    scraper_account_lease_seconds: int = Field(60, ge=5, le=600)
    """Length of an account's lease; it is prolonged while a page takes longer."""
    scraper_sse_seconds: float = Field(0.25, gt=0, le=60)
    """How often a stream of progress events looks for news."""
    scraper_overlap_seconds: float = Field(3600.0, ge=0, le=86400 * 30)
    """How far a run that continues looks back behind the newest entry that is known."""

    @property
    def tables_url(self) -> str:
        """URL of the service's tables."""
        return self.tables("scraper")
