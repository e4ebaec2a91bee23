"""A site that tells who asks: the address of the exit and the headers that arrived."""

from __future__ import annotations

from typing import Final

from xget_sandbox.http import Request, Response, json_response

ECHO_HOST: Final = "echo.sandbox.test"
EXIT_HEADER: Final = "x-sandbox-exit"
"""By which an exit tells the sandbox its address; the echo does not show it."""
_MAIN_ADDRESS: Final = "203.0.113.1"


def echo(request: Request) -> Response:
    """`ip`, `headers`, as common echo services tell them."""
    headers = {name: value for name, value in request.headers.items() if name != EXIT_HEADER}
    return json_response({"ip": request.headers.get(EXIT_HEADER, _MAIN_ADDRESS), "headers": headers})
