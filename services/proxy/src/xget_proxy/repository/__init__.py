"""All SQL of the proxy service."""

from xget_proxy.repository.leases import LeaseRepository
from xget_proxy.repository.lending import LendingRepository, Pool
from xget_proxy.repository.providers import ProviderRepository
from xget_proxy.repository.proxies import ProxyRepository

__all__ = ["LeaseRepository", "LendingRepository", "Pool", "ProviderRepository", "ProxyRepository"]
