"""All SQL of the proxy service."""

from xget_proxy.repository.leases import LeaseRepository
from xget_proxy.repository.lending import Known, LendingRepository, Pool
from xget_proxy.repository.providers import ProviderRepository
from xget_proxy.repository.proxies import ProxyRepository

__all__ = ["Known", "LeaseRepository", "LendingRepository", "Pool", "ProviderRepository", "ProxyRepository"]
