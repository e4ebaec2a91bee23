"""Bodies of providers. The URL goes in and never comes out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from xget_proxy.schemas.proxies import Country, Type
from xget_web.types import Body, text


class ProviderCreate(Body):
    """A provider's list to take proxies from."""

    name: Annotated[str, text(100, min_length=1)]
    url: Annotated[str, text(2000, min_length=1)]
    """https only, of a host that the operator allows; kept as a secret."""
    type: Type = "http"
    """For lines that name no scheme."""
    country: Country | None = None
    """For lines that name no country."""
    every_seconds: Annotated[int, Field(ge=60, le=2_592_000)] = 3600


class ProviderRead(BaseModel):
    """A provider, and what the last list that was read brought."""

    id: str
    owner_id: str
    name: str
    host: str
    """Of the URL, which is not shown: it may hold a key."""
    type: str
    country: str | None
    every_seconds: int
    next_at: datetime
    last_at: datetime | None
    last_error: str | None
    added: int
    removed: int
    """Retired: no longer on the list."""
    kept: int
    refused: int
    """Lines that are no proxy, or one inside the operator's own network."""
    created_at: datetime
