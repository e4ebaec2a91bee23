"""Settings of the processing service."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from xget_kernel.settings import ServiceSettings

NAME = "processing"


class Settings(ServiceSettings):
    """What the processing service reads from the environment."""

    default_port: ClassVar[int] = 8006

    processing_batch_pages: int = Field(16, ge=1, le=500)
    """Pages that are parsed and announced at once, at most."""

    processing_freeze_rate: float = Field(0.5, ge=0, le=1)
    """Share of records, on average over the pages of the window, from which a parser is frozen; 0: never."""
    processing_freeze_pages: int = Field(10, ge=1, le=100_000)
    """Fewest pages with records in the window that can freeze a parser."""
    processing_freeze_minutes: int = Field(10, ge=1, le=1440)
    """Length of the window."""
    processing_thaw_seconds: float = Field(2.0, gt=0, le=3600)
    """How often a worker looks for parsers that may read again."""

    processing_drift_every: int = Field(20, ge=0, le=100_000)
    """One page in so many of an operation is looked at for new and missing fields, and all with rejects; 0: none."""
    processing_drift_gone_pages: int = Field(50, ge=1, le=100_000)
    """How many such pages in a row must lack a usual field until it counts as gone."""

    @property
    def tables_url(self) -> str:
        """URL of the service's tables."""
        return self.tables(NAME)
