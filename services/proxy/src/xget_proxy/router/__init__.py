"""The service over HTTP."""

from xget_proxy.router import audit, providers, proxies

ROUTERS = [providers.router, audit.trail, audit.grants, audit.lent, proxies.router]
"""Fixed words under `/proxies` come before ids."""

__all__ = ["ROUTERS"]
