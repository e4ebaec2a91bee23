"""Settings of the proxy service."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from xget_kernel.keys import KeySettings

NAME = "proxy"


class Settings(KeySettings):
    """What the proxy service reads from the environment."""

    default_port: ClassVar[int] = 8005

    proxy_check_url: str = Field("https://x.com/robots.txt", pattern=r"^https?://[^\s/]+")
    """What a check fetches through the proxy."""
    proxy_check_seconds: float = Field(10.0, gt=0, le=60)
    """How long a check waits for an answer."""
    proxy_recheck_seconds: float = Field(30.0, ge=1)
    """How often the worker looks for proxies whose pause is over."""
    proxy_allow_networks: str = ""
    """Networks, addresses and names inside the operator's own network where proxies may be, comma-separated."""

    @property
    def tables_url(self) -> str:
        """URL of the service's tables."""
        return self.tables(NAME)
