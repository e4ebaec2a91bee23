"""One GraphQL request from its headers to its answer."""

from __future__ import annotations

from typing import Any

import orjson

from xget_sandbox.director import Director
from xget_sandbox.faults import Fault
from xget_sandbox.graphql.refusals import refusal, spoilt, struck, too_many
from xget_sandbox.http import Request, Response, json_response
from xget_sandbox.login.people import People
from xget_sandbox.source import Source, Untouched
from xget_sandbox.transaction import TransactionPages

PREFIX = "/i/api/graphql/"


class Gate:
    """Checks the session, takes from the budget, lets faults strike, and asks the source."""

    def __init__(self, source: Source, director: Director, transaction: TransactionPages, people: People) -> None:
        conditions = director.conditions
        self.source = source
        self.director = director
        self.drifts = conditions.drifts
        self.pagings = conditions.pagings
        self.limits = conditions.limits
        self.faults = conditions.faults
        self.journal = conditions.journal
        self.transaction = transaction
        self.people = people

    def answer(self, request: Request) -> Response:
        """The answer to a request under /i/api/graphql/."""
        self.director.tick()
        operation = request.path.rsplit("/", 1)[-1]
        variables = _variables(request)
        account = request.cookies().get("auth_token", "")
        refused = self._refused(request, variables)
        fault = None if refused else self.faults.strike(operation)
        if fault and fault.kind == "expire":
            self.people.end(account)
        response = refused or self._budgeted(operation, account, variables or {}, fault)
        kind = fault.kind if fault else self.pagings.taken()
        now = self.limits.clock.now()
        self.journal.add(now, operation, account, status=response.status, fault=kind, variables=variables or {})
        return response

    def _refused(self, request: Request, variables: dict[str, Any] | None) -> Response | None:
        """Without a session 401 and error 32, with a foreign csrf token 403, with a foreign transaction id 404."""
        cookies = request.cookies()
        if not cookies.get("auth_token") or not request.headers.get("authorization", "").startswith("Bearer "):
            return refusal("32")
        if code := self.people.refusal_of(cookies["auth_token"]):
            return refusal(code)
        if not cookies.get("ct0") or request.headers.get("x-csrf-token") != cookies["ct0"]:
            message = "This request requires a matching csrf cookie and header."
            return json_response({"errors": [{"code": 353, "message": message}]}, 403)
        if not self.transaction.accepts(request.headers.get("x-client-transaction-id", "")):
            return Response(404)
        if variables is None:
            return json_response({"errors": [{"code": 47, "message": "BadRequest: variables must be JSON"}]}, 400)
        return None

    def _budgeted(self, operation: str, account: str, variables: dict[str, Any], fault: Fault | None) -> Response:
        allowed, window = self.limits.take(account, operation)
        if not allowed:
            return _with(too_many(), window.headers())
        if fault and fault.kind == "429":
            window = self.limits.exhaust(account, operation, fault.value)
            return _with(too_many(), window.headers())
        instead = struck(fault) if fault else None
        if instead is not None:
            return _with(instead, window.headers())
        body = self.source.answer(operation, variables, fault or Untouched())
        if body is None:
            return _with(json_response({"errors": [{"message": "Query not found"}]}, 404), window.headers())
        return spoilt(fault, self.drifts.bend(operation, body), window.headers())


def _with(response: Response, headers: dict[str, str]) -> Response:
    return Response(response.status, response.body, response.content_type, {**headers, **response.headers})


def _variables(request: Request) -> dict[str, Any] | None:
    text = request.parameter("variables")
    try:
        if text is None:
            read = orjson.loads(request.body).get("variables", {}) if request.body else {}
        else:
            read = orjson.loads(text)
    except (orjson.JSONDecodeError, AttributeError):
        return None
    return read if isinstance(read, dict) else None
