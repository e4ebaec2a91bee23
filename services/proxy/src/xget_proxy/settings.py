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
    proxy_echo_url: str | None = Field(None, pattern=r"^https?://[^\s/]+")
    """Tells who asks, as JSON with `ip` (or `origin`) and `headers`: for exit and anonymity. http:// shows more: what a
    proxy adds to a request. None: neither is looked at."""
    proxy_check_every_seconds: float = Field(900.0, ge=1, le=86_400)
    """How often the worker checks each proxy; a fifth sooner or later, by chance."""
    proxy_checks_at_once: int = Field(32, ge=1, le=1000)
    """Checks that the worker makes at the same time; bounds its memory."""
    geoip_db: str = Field("", validation_alias="XGET_GEOIP_DB")
    """MMDB files, comma-separated: where exits are (country, city, ISP)."""
    proxy_audit_days: float = Field(7.0, gt=0, le=3650)
    """How long it is known who leased which proxy."""
    proxy_trail_days: float = Field(400.0, gt=0, le=36500)
    """How long it is known who did, changed or saw what."""
    proxy_check_seconds: float = Field(10.0, gt=0, le=60)
    """How long a check waits for an answer."""
    proxy_recheck_seconds: float = Field(30.0, ge=1)
    """How often the worker looks for proxies to check: due, new, or with a pause that is over."""
    proxy_provider_hosts: str = ""
    """Hosts that providers' lists may come from, comma-separated; none unless named."""
    proxy_allow_networks: str = ""
    """Networks, addresses and names inside the operator's own network where proxies may be, comma-separated."""

    @property
    def provider_hosts(self) -> frozenset[str]:
        """Hosts that providers' lists may come from."""
        return frozenset(host.strip().lower() for host in self.proxy_provider_hosts.split(",") if host.strip())

    @property
    def tables_url(self) -> str:
        """URL of the service's tables."""
        return self.tables(NAME)
