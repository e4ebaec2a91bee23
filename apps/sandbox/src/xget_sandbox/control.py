"""What the sandbox says about itself, under /__sandbox__/ of its own address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from xget_sandbox.api_v2.credentials import Credentials
from xget_sandbox.director import Director
from xget_sandbox.errors import SandboxError
from xget_sandbox.exits import Exits
from xget_sandbox.http import Request, Response, json_response
from xget_sandbox.login.people import People
from xget_sandbox.truth import Truth

PREFIX = "/__sandbox__/"
PAGES = (
    "truth, log, faults, paging, drift, change, schedule, clock, limits, "
    "accounts, sessions/expire, mail, exits, api and ca.pem"
)


class Control:
    """Truth, log, faults, paging, clock and limits over plain HTTP."""

    def __init__(self, truth: Truth, director: Director, people: People, api: Credentials, ca_pem: bytes) -> None:
        conditions = director.conditions
        self.truth = truth
        self.director = director
        self.people = people
        self.api = api
        self.drifts = conditions.drifts
        self.journal = conditions.journal
        self.faults = conditions.faults
        self.limits = conditions.limits
        self.pagings = conditions.pagings
        self.ca_pem = ca_pem
        self.exits: Exits | None = None

    def answer(self, request: Request) -> Response:
        """200 with JSON; 400 with one sentence for what it does not understand; 404 for other paths."""
        name = request.path.removeprefix(PREFIX)
        self.director.catch_up()
        try:
            if request.method == "GET" and name == "ca.pem":
                return Response(200, self.ca_pem, "application/x-pem-file")
            answer = self._get(name, request) if request.method == "GET" else self._post(name, request)
        except SandboxError as error:
            return json_response({"error": str(error)}, 400)
        if answer is None:
            return json_response({"error": f"There are {PAGES} here."}, 404)
        return json_response(answer)

    def _get(self, name: str, request: Request) -> dict[str, Any] | None:
        asked = request.parameters()
        pages: dict[str, Callable[[], dict[str, Any]]] = {
            "truth": lambda: self.truth.answer(asked),
            "log": lambda: {"requests": self.journal.entries(_after(asked))},
            "faults": lambda: {"faults": self.faults.texts},
            "paging": self.pagings.told,
            "clock": self._clock,
            "drift": self.drifts.told,
            "schedule": self.director.told,
            "limits": self.limits.told,
            "accounts": self.people.told,
            "mail": self.people.post.told,
            "exits": lambda: self.exits.told() if self.exits else {"exits": {}},
            "api": self.api.told,
        }
        return pages[name]() if name in pages else None

    def _post(self, name: str, request: Request) -> dict[str, Any] | None:
        if name == "accounts":
            return self.people.register(_json(request))
        pages: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "faults": self._set_faults,
            "paging": self._set_paging,
            "clock": self._advance,
            "limits": self._set_limits,
            "drift": self._set_drift,
            "change": self.director.changes.apply,
            "mail": self.people.post.set,
            "exits": lambda body: self.exits.set(body) if self.exits else {"exits": {}},
            "sessions/expire": self._expire,
            "api": self._set_api,
        }
        body = _body(request)
        return pages[name](body) if name in pages else None

    def _set_faults(self, body: dict[str, Any]) -> dict[str, Any]:
        self.faults.set(body.get("faults", ""))
        return {"faults": self.faults.texts}

    def _set_paging(self, body: dict[str, Any]) -> dict[str, Any]:
        self.pagings.set(_rules(body))
        return self.pagings.told()

    def _advance(self, body: dict[str, Any]) -> dict[str, Any]:
        self.limits.clock.advance(_number(body, "advance"))
        self.director.catch_up()
        return self._clock()

    def _set_limits(self, body: dict[str, Any]) -> dict[str, Any]:
        self.limits.set(body)
        return self.limits.told()

    def _set_drift(self, body: dict[str, Any]) -> dict[str, Any]:
        self.drifts.set(body.get("drift", []))
        return self.drifts.told()

    def _set_api(self, body: dict[str, Any]) -> dict[str, Any]:
        self.api.set(body)
        return self.api.told()

    def _expire(self, body: dict[str, Any]) -> dict[str, Any]:
        username = body.get("username")
        return {"expired": self.people.expire(None if username is None else str(username))}

    def _clock(self) -> dict[str, Any]:
        clock = self.limits.clock
        return {"now": clock.now(), "offset": clock.offset, "elapsed": clock.elapsed()}


def _after(asked: Mapping[str, str]) -> int:
    after = asked.get("after", "0")
    return int(after) if after.isdecimal() else 0


def _json(request: Request) -> Any:
    try:
        return orjson.loads(request.body or b"{}")
    except orjson.JSONDecodeError as error:
        raise SandboxError("The body is not JSON.") from error


def _body(request: Request) -> dict[str, Any]:
    body = _json(request)
    if not isinstance(body, dict):
        raise SandboxError("The body is not a JSON object.")
    return body


def _rules(body: dict[str, Any]) -> dict[str, Any] | str:
    rules = body.get("paging", {})
    if not isinstance(rules, (dict, str)):
        raise SandboxError("paging is a text such as stall=800,lie=0.02 or an object by operation.")
    return rules


def _number(body: dict[str, Any], name: str) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise SandboxError(f"{name} is a number of at least 0.")
    return float(value)
