"""Bodies of the proxy service."""

from xget_proxy.schemas.providers import ProviderCreate, ProviderRead
from xget_proxy.schemas.proxies import (
    CheckLine,
    CheckRequest,
    CheckResult,
    Country,
    ImportLine,
    ImportRequest,
    ImportResult,
    LeaseRead,
    ProxyCreate,
    ProxyFilter,
    ProxyRead,
    ProxyUpdate,
    ReputationRead,
    RotationRead,
    State,
    Type,
    host_or_none,
)

__all__ = [
    "CheckLine",
    "CheckRequest",
    "CheckResult",
    "Country",
    "ImportLine",
    "ImportRequest",
    "ImportResult",
    "LeaseRead",
    "ProviderCreate",
    "ProviderRead",
    "ProxyCreate",
    "ProxyFilter",
    "ProxyRead",
    "ProxyUpdate",
    "ReputationRead",
    "RotationRead",
    "State",
    "Type",
    "host_or_none",
]
