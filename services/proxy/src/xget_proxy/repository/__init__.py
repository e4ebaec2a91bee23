"""All SQL of the proxy service."""

from xget_proxy.repository.leases import LeaseRepository
from xget_proxy.repository.proxies import ProxyRepository

__all__ = ["LeaseRepository", "ProxyRepository"]
