"""The service over HTTP."""

from xget_proxy.router import providers, proxies

ROUTERS = [providers.router, proxies.router]
"""Fixed words under `/proxies` come before ids."""

__all__ = ["ROUTERS"]
