"""Bodies about proxies that are lent."""

from __future__ import annotations

from pydantic import BaseModel

from xget_proxy.schemas.proxies import State, Type


class LentProxy(BaseModel):
    """A proxy of another, as who may go out through it sees it: not where it is, nor how one logs in to it."""

    proxy_id: str
    owner_id: str
    platforms: list[str]
    """It is lent for these only; empty for all."""
    type: Type
    country: str | None
    state: State
    score: float
    """Success rate over latency, 0 to 1."""
    max_concurrency: int | None
    """Leases at once, of all who use it together; null for no bound."""
    daily_budget: int | None
    """Leases a day (UTC), of all who use it together; null for no bound."""
    budget_left: int | None
    """Of today."""
