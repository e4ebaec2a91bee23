"""Which host answers what."""

from __future__ import annotations

from xget_sandbox.api_v2.gate import PREFIX as API_V2
from xget_sandbox.api_v2.gate import ApiGate
from xget_sandbox.exits.echo import ECHO_HOST, echo
from xget_sandbox.faults import Fault
from xget_sandbox.graphql.gate import PREFIX, Gate
from xget_sandbox.graphql.refusals import struck
from xget_sandbox.http import Request, Response, json_response, text_response
from xget_sandbox.login.door import LOGIN_HOSTS, Door
from xget_sandbox.transaction import TransactionPages

X_HOSTS = frozenset(
    {f"{part}{domain}" for domain in ("x.com", "twitter.com") for part in ("", "www.", "mobile.", "api.")}
)
SCRIPT_HOSTS = frozenset({"abs.twimg.com"})
MEDIA_HOSTS = frozenset({"pbs.twimg.com", "video.twimg.com"})
HOSTS = X_HOSTS | SCRIPT_HOSTS | MEDIA_HOSTS | LOGIN_HOSTS | {ECHO_HOST}
PAGE = "Page"
"""What faults call x.com's page, as in `no-transaction:Page@1` and `logged-out:Page@1`."""
PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c000000000100010000020144003b"
)  # the smallest GIF


class Site:
    """x.com and its neighbours."""

    def __init__(self, gate: Gate, transaction: TransactionPages, door: Door, api: ApiGate) -> None:
        self.gate = gate
        self.door = door
        self.api = api
        self.transaction = transaction

    def answer(self, request: Request) -> Response:
        """The answer of the host named in the request."""
        if request.host == ECHO_HOST:
            return echo(request)
        if request.host in MEDIA_HOSTS:
            return Response(200, PIXEL, "video/mp4" if request.host.startswith("video") else "image/gif")
        if request.host in SCRIPT_HOSTS:
            return self.transaction.script(request.path)
        if request.path.startswith(PREFIX) or request.path.startswith("/graphql/"):
            return self.gate.answer(request)
        return self._page(request)

    def _page(self, request: Request) -> Response:
        at_the_door = self.door.answer(request)
        if at_the_door is not None:
            return at_the_door
        if request.host.startswith("api.") and request.path.startswith(API_V2):
            return self.api.answer(request)
        if request.host.startswith("api."):
            return json_response({"errors": [{"code": 34, "message": "Sorry, that page does not exist."}]}, 404)
        if request.path == "/robots.txt":
            return text_response("User-agent: *\nDisallow:\n", "text/plain; charset=utf-8")
        fault = self.gate.faults.strike(PAGE)
        return self.transaction.page(request) if fault is None else self._struck(fault)

    def _struck(self, fault: Fault) -> Response:
        if fault.kind == "logged-out":
            return self.transaction.logged_out()
        answer = None if fault.kind == "no-transaction" else struck(fault)
        return answer or text_response("<html><body>Something went wrong. Try reloading.</body></html>")
