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

    @property
    def tables_url(self) -> str:
        """URL of the service's tables."""
        return self.tables(NAME)
