"""One request of API v2 from its token to its answer."""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import Any

import orjson

from xget_sandbox.api_v2.credentials import Credentials
from xget_sandbox.api_v2.endpoints import Endpoints
from xget_sandbox.api_v2.limits import ApiLimits
from xget_sandbox.api_v2.problems import PROBLEMS, Refused, capped, not_enrolled, plain, unsupported
from xget_sandbox.director import Director
from xget_sandbox.faults import Fault
from xget_sandbox.graphql.refusals import spoilt, struck
from xget_sandbox.http import Request, Response
from xget_sandbox.world import World

PREFIX = "/2/"
PATHS = (
    (r"tweets/search/recent", "tweetsRecentSearch"),
    (r"tweets/search/all", "tweetsFullarchiveSearch"),
    (r"tweets/counts/recent", "tweetCountsRecentSearch"),
    (r"tweets/counts/all", "tweetCountsFullArchiveSearch"),
    (r"tweets", "findTweetsById"),
    (r"tweets/(\w+)", "findTweetById"),
    (r"tweets/(\w+)/retweeted_by", "tweetsIdRetweetingUsers"),
    (r"tweets/(\w+)/quote_tweets", "findTweetsThatQuoteATweet"),
    (r"users/by", "findUsersByUsername"),
    (r"users/by/username/(\w+)", "findUserByUsername"),
    (r"users/(\w+)", "findUserById"),
    (r"users/(\w+)/tweets", "usersIdTweets"),
    (r"users/(\w+)/followers", "usersIdFollowers"),
    (r"users/(\w+)/following", "usersIdFollowing"),
    (r"lists/(\w+)/tweets", "listsIdTweets"),
    (r"lists/(\w+)/members", "listGetMembers"),
)
POSTS = frozenset((
    "tweetsRecentSearch", "tweetsFullarchiveSearch", "findTweetsById", "findTweetById", "usersIdTweets",
    "listsIdTweets", "findTweetsThatQuoteATweet",
))  # fmt: skip


class ApiGate:
    """Checks token and plan, takes from the window and from the month, lets faults strike, and answers."""

    def __init__(self, world: World, director: Director) -> None:
        conditions = director.conditions
        self.world = world
        self.director = director
        self.limits = conditions.limits
        self.faults = conditions.faults
        self.journal = conditions.journal
        self.windows = ApiLimits(self.limits)
        self.credentials = Credentials(self.windows)
        self.endpoints = Endpoints(world)

    def answer(self, request: Request) -> Response:
        """The answer to a request under /2/."""
        self.director.tick()
        now = self.limits.clock.now()
        if request.path == f"{PREFIX}oauth2/token" and request.method == "POST":
            return self.credentials.give(request, now)
        token = request.headers.get("authorization", "").partition("Bearer ")[2]
        operation, subject = _operation(request)
        fault = self.faults.strike(operation) if operation else None
        asked = request.parameters()
        try:
            response = self._answer(token, operation, subject, asked, fault)
        except Refused as refused:
            response = refused.response
        told: dict[str, Any] = {"cursor": asked.get("next_token"), "rawQuery": asked.get("query")}
        self.journal.add(
            now, operation or request.path, token, status=response.status, fault=fault.kind if fault else None,
            variables=told,
        )  # fmt: skip
        dated = {"date": formatdate(self.world.life.now_ms / 1000, usegmt=True)}
        return _with(response, dated)

    def _answer(
        self, token: str, operation: str | None, subject: str, asked: dict[str, str], fault: Fault | None
    ) -> Response:
        refused = self._refused(token, operation)
        if refused is not None or operation is None:
            return refused or plain(404)
        scope, holder = self.credentials.holder(token)
        allowed, told = self.windows.take(scope, holder, operation)
        if fault and fault.kind == "429":
            allowed, told = False, self.windows.exhaust(scope, holder, operation, fault.value)
        instead = plain(429) if not allowed else self._instead(token, operation, fault)
        if instead is not None:
            return _with(instead, told)
        body = self.endpoints.handlers[operation](subject, asked)
        if operation in POSTS:
            data = body.get("data", [])
            read = len(data) if isinstance(data, list) else 1
            self.credentials.count(token, read, self.limits.clock.now())
        return spoilt(fault, orjson.dumps(body), told)

    def _refused(self, token: str, operation: str | None) -> Response | None:
        if not self.credentials.known(token, self.limits.clock.now()):
            return plain(401)
        if operation is None:
            return None
        if not self.credentials.may(token, operation):
            return not_enrolled()
        return None if self.windows.allowed(self.credentials.holder(token)[0], operation) else unsupported()

    def _instead(self, token: str, operation: str, fault: Fault | None) -> Response | None:
        if operation in POSTS and self.credentials.spent(token, self.limits.clock.now()):
            return capped()
        return _struck(fault) if fault else None


def _struck(fault: Fault) -> Response | None:
    return PROBLEMS[fault.kind]() if fault.kind in PROBLEMS else struck(fault)


def _operation(request: Request) -> tuple[str | None, str]:
    path = request.path.removeprefix(PREFIX)
    for pattern, name in PATHS:
        if request.method == "GET" and (found := re.fullmatch(pattern, path)):
            return name, found[1] if found.re.groups else ""
    return None, ""


def _with(response: Response, headers: dict[str, str]) -> Response:
    return Response(
        response.status, response.body, response.content_type, {**headers, **response.headers},
        response.drop, response.seconds,
    )  # fmt: skip
