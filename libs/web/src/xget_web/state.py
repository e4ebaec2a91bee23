"""What the builder keeps on an app for its own dependencies."""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol, cast

from fastapi import FastAPI, Request

from xget_kernel.caller import Caller
from xget_telemetry.metrics import Registry


class Verifier(Protocol):
    """Turns an access token into the caller it belongs to."""

    async def verify(self, token: str) -> Caller:
        """Raises Unauthenticated (401) or Unavailable (503)."""
        ...


@dataclass(slots=True)
class WebState:
    """One per app, at `app.state.xget_web`."""

    service: str
    open_mode: bool
    verifier: Verifier | None
    registry: Registry
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server begins to stop: endless answers (SSE) end."""


def web_state(source: Request | FastAPI) -> WebState:
    """The builder's state of the app that serves this request."""
    app = source.app if isinstance(source, Request) else source
    return cast(WebState, app.state.xget_web)
