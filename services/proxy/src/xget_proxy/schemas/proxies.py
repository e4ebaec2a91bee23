"""Bodies of the proxy service. The password goes in and never comes out."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from xget_web.types import Body, text

Type = Literal["http", "https", "socks5"]
State = Literal["ACTIVE", "INACTIVE", "CHECKING"]

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


def host_or_none(value: str) -> str | None:
    """A host name or address in the form that is stored; None when it is neither."""
    plain = value.strip().removeprefix("[").removesuffix("]").rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError:
        labels = plain.split(".")
        named = len(plain) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
        return plain if named and not labels[-1].isdigit() else None


def _host(value: str) -> str:
    found = host_or_none(value)
    if found is None:
        raise PydanticCustomError("host", "Must be an IPv4 or IPv6 address or a host name, without scheme and port")
    return found


Host = Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=65_535)]
Login = Annotated[str, text(255)]
Country = Annotated[str, Field(pattern=r"^[A-Za-z]{2}$", description="ISO 3166-1 alpha-2."), AfterValidator(str.upper)]
Place = Annotated[str, text(100)]
AllowInternal = Annotated[
    bool, Field(strict=True, description="Lets it be inside the operator's own network; only operators may set it.")
]


Limit = Annotated[int, Field(ge=0, le=1_000_000)]
AtOnce = Annotated[int, Field(ge=1, le=10_000)]


class ProxyCreate(Body):
    """A new proxy."""

    type: Type
    ip: Host
    port: Port
    username: Login | None = None
    password: Login | None = None
    country: Country | None = None
    city: Place | None = None
    isp: Place | None = None
    status: Literal["ACTIVE", "INACTIVE"] = "ACTIVE"
    allow_internal: AllowInternal = False
    max_concurrency: AtOnce | None = None
    """Leases at once; null for no bound."""
    daily_budget: Limit | None = None
    """Leases a day (UTC); null for no bound."""
    rotating: Annotated[bool, Field(strict=True)] = False
    """A gateway whose exit changes by itself."""


class ProxyUpdate(Body):
    """What is to change; a field that is absent stays. null empties username, password, country, city, isp
    and the two limits."""

    type: Type | None = None
    ip: Host | None = None
    port: Port | None = None
    username: Login | None = None
    password: Login | None = None
    country: Country | None = None
    city: Place | None = None
    isp: Place | None = None
    status: Annotated[
        Literal["ACTIVE", "INACTIVE"] | None, Field(description="INACTIVE switches it off, ACTIVE ends a pause.")
    ] = None
    allow_internal: AllowInternal | None = None
    max_concurrency: AtOnce | None = None
    daily_budget: Limit | None = None
    rotating: Annotated[bool, Field(strict=True)] | None = None


class ProxyRead(BaseModel):
    """A proxy as it is shown."""

    id: str
    owner_id: str
    type: str
    ip: str
    port: int
    username: str | None
    password_set: bool
    country: str | None
    city: str | None
    isp: str | None
    latency: float | None
    """Milliseconds, weighted towards the newest; null before the first measurement."""
    success_rate: float | None
    """0 to 1, weighted towards the newest; null before the first measurement."""
    latencies: list[float | None]
    """Of the last checks in milliseconds, oldest first; null for one that failed."""
    score: float
    """Success rate over latency, 0 to 1; the better ones are lent first."""
    exit_ip: str | None
    """The address that others see, as last checked."""
    anonymity: Literal["elite", "anonymous", "transparent"] | None
    """anonymous: says that it is a proxy; transparent: tells our address."""
    rotating: bool
    provider_id: str | None
    """From whose list it came."""
    retired_at: datetime | None
    """Since when it is no longer on that list."""
    last_check: datetime | None
    status: State
    pause_until: datetime | None
    error_msg: str | None
    allow_internal: bool
    max_concurrency: int | None
    daily_budget: int | None
    used_today: int
    """Leases of today (UTC)."""
    created_at: datetime
    updated_at: datetime


class RotationRead(BaseModel):
    """An account came to a proxy."""

    account_id: str
    from_proxy_id: str | None
    """null for the account's first."""
    proxy_id: str
    at: datetime
    reason: str


class LeaseRead(BaseModel):
    """Who went out through a proxy, when and what for."""

    id: str
    owner_id: str
    """Who asked: the proxy's owner, or whom he lends it."""
    account_id: str
    holder: str
    """The execution that asked."""
    operation: str
    at: datetime
    expires_at: datetime
    ended_at: datetime | None
    failed: bool
    """A request under it had no answer."""


class ReputationRead(BaseModel):
    """What a platform that has shut a proxy's exit out thinks of it."""

    platform: str
    success_rate: float
    """0 to 1, of its answers through the proxy, weighted towards the newest."""
    refusals: int
    """In a row."""
    refused_at: datetime
    rests_until: datetime | None
    """Until then it is lent for this platform only when there is no other; null when it answered since."""
    reason: str


class ProxyFilter(BaseModel):
    """What a list is narrowed to."""

    status: State | None = None
    type: Type | None = None
    country: str | None = None
    ip: str | None = None
    port: int | None = None


class CheckRequest(Body):
    """Which proxies to try: `ids`, or `all` for those that were checked longest ago."""

    ids: Annotated[list[Annotated[str, text(64, min_length=1)]], Field(min_length=1, max_length=100)] | None = None
    all: bool = False

    @model_validator(mode="after")
    def _one_of_two(self) -> CheckRequest:
        if (self.ids is None) == (not self.all):
            raise PydanticCustomError("one_of", "Give either ids or all: true")
        return self


class CheckLine(BaseModel):
    """What a check of one proxy found."""

    proxy_id: str
    ok: bool
    latency_ms: float | None
    status: State
    reason: str


class CheckResult(BaseModel):
    """What a check found; `left` more proxies wait when `all` were too many for one request."""

    ok: int
    failed: int
    left: int
    items: list[CheckLine]


class ImportRequest(Body):
    """A list of proxies as text."""

    text: Annotated[str, Field(min_length=1, max_length=1_000_000)]
    type: Type = "http"
    """For lines that name no scheme."""
    country: Country | None = None
    """For lines that name no country."""
    allow_internal: AllowInternal = False


class ImportLine(BaseModel):
    """What became of one line."""

    line: int
    outcome: Literal["created", "duplicate", "refused"]
    proxy: str
    """Scheme, host and port, without login."""
    proxy_id: str | None
    reason: str


class ImportResult(BaseModel):
    """What became of a list."""

    created: int
    duplicate: int
    refused: int
    lines: list[ImportLine]
