"""Open mode: only a page of this machine may talk to it, whatever a foreign DNS name resolves to."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from xget_web import problems
from xget_web.errors import ForeignHost


class HostGuard:
    """Refuses (403) requests whose Host or Origin is no loopback name; any port is fine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(Headers(scope=scope)) if scope["type"] in {"http", "websocket"} else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        await problems.render(refusal, scope["path"])(scope, receive, send)


def _refusal(headers: Headers) -> ForeignHost | None:
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    if len(hosts) != 1 or not is_loopback(f"//{hosts[0]}"):
        return ForeignHost("Open mode answers only to localhost, 127.0.0.1 and [::1]: use one of these as the host.")
    if any(not is_loopback(origin) for origin in origins):
        return ForeignHost("Open mode answers only to pages of this machine: log in to call it from another origin.")
    return None


def is_loopback(url: str) -> bool:
    """Whether the host of a URL (or of `//host:port`) is localhost or a loopback address."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        if host == "localhost":
            return "@" not in parts.netloc
        return "@" not in parts.netloc and ip_address(host).is_loopback
    except ValueError:
        return False
