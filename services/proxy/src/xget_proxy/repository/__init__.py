"""All SQL of the proxy service."""

from xget_proxy.repository.again import AgainRepository, AgainTables, Held, Own
from xget_proxy.repository.leases import LeaseRepository
from xget_proxy.repository.lending import Known, LendingRepository, Pool
from xget_proxy.repository.lent import LentRepository
from xget_proxy.repository.providers import ProviderRepository
from xget_proxy.repository.proxies import ProxyRepository

__all__ = [
    "AgainRepository",
    "AgainTables",
    "Held",
    "Known",
    "LeaseRepository",
    "LendingRepository",
    "LentRepository",
    "Own",
    "Pool",
    "ProviderRepository",
    "ProxyRepository",
]
