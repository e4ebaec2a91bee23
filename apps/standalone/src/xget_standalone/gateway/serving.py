"""The gateway as a process of its own: it finds its services by their URLs in the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from xget_cache.opening import open_cache
from xget_kernel.clock import SystemClock
from xget_kernel.settings import ServiceSettings
from xget_standalone.choices import upstreams_of
from xget_standalone.gateway.app import Gateway, create_gateway
from xget_standalone.gateway.config import load_chosen
from xget_standalone.gateway.readiness import Readiness
from xget_web.tokens import JWKS_PATH, TokenVerifier, leeway_of


@asynccontextmanager
async def opened_gateway(settings: ServiceSettings) -> AsyncIterator[Starlette]:
    """The gateway's app on its cache, closed at the end. Raises StartupError."""
    upstreams = upstreams_of(settings)
    settings.refuse_lies(("cache",))
    clock, house = SystemClock(), await open_cache(settings)
    try:
        gateway = Gateway(
            load_chosen(),
            upstream=upstreams.__getitem__,
            verifier=TokenVerifier(f"{upstreams['auth']}{JWKS_PATH}", clock=clock, leeway=leeway_of(settings)),
            house=house,
            open_mode=settings.open_mode,
            ready=Readiness(upstreams).found,
        )
        yield create_gateway(gateway)
    finally:
        await house.close()
