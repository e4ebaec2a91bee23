"""Use cases of proxies."""

from xget_proxy.service.checks import CheckService, Probe, ProbeResult
from xget_proxy.service.imports import ImportService
from xget_proxy.service.pool import PoolService, Work
from xget_proxy.service.proxies import ProxyService
from xget_proxy.service.vault import Vault

__all__ = ["CheckService", "ImportService", "PoolService", "Probe", "ProbeResult", "ProxyService", "Vault", "Work"]
