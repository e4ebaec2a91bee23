"""What a session holds for one account."""

from __future__ import annotations

from dataclasses import dataclass

from xget.account.v1 import account_pool_pb2 as pb
from xget_scraper.adapters.grpc.proxies import ProxyLease
from xget_sources.ports import Lease


@dataclass(repr=False)
class Held:
    """A leased account and the proxy it goes out through. Carries secrets: it has no repr."""

    lease: Lease
    found: pb.Lease
    owner: str
    proxy: ProxyLease | None = None
    once: bool = False
    """Its proxy broke off within a page before: that excuses an account once."""
    operation: str = ""
    """Of that page."""
    returned: bool = False
    """The account went back with its report."""
    until: float | None = None
    """Until when (monotonic) it is kept for the next try of that page."""
