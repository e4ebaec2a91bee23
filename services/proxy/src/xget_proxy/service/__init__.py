"""Use cases of proxies."""

from xget_proxy.service.addresses import Allowed
from xget_proxy.service.checks import CheckService, Probe, Rhythm
from xget_proxy.service.gate import Gate, Resolve
from xget_proxy.service.imports import ImportService, admitted
from xget_proxy.service.lending import LentService
from xget_proxy.service.pool import PoolService, Work
from xget_proxy.service.providers import ProviderService
from xget_proxy.service.proxies import ProxyService
from xget_proxy.service.reporting import Told
from xget_proxy.service.seeing import ProbeResult
from xget_proxy.service.upkeep import Upkeep
from xget_proxy.service.vault import Vault
from xget_proxy.service.wishes import Wish

__all__ = [
    "Allowed",
    "CheckService",
    "Gate",
    "ImportService",
    "LentService",
    "PoolService",
    "Probe",
    "ProbeResult",
    "ProviderService",
    "ProxyService",
    "Resolve",
    "Rhythm",
    "Told",
    "Upkeep",
    "Vault",
    "Wish",
    "Work",
    "admitted",
]
