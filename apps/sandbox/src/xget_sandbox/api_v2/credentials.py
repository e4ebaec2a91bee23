"""Who asks: apps with a bearer token, users whose tokens are refreshed, and what their plan lets them do.

Any bearer token is taken. `news~1` and `news~2` are two tokens of the app `news`, any other one is its app's only one.
What it begins with is its plan: `free-` is enrolled for looking up posts and users only, `basic-` for the last seven
days of searches, any other one for everything; `bad-` is no token at all. A user's tokens are of the app whose client
id renewed them. An app is a project of its own until `projects` says otherwise; the month's posts are its project's.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from xget_sandbox.api_v2.limits import CAP, ApiLimits, Scope
from xget_sandbox.errors import SandboxError
from xget_sandbox.http import Request, Response, json_response

LIVES_S = 7200
FREE = frozenset({"findTweetsById", "findTweetById", "findUserByUsername", "findUsersByUsername", "findUserById"})
PRO = frozenset({"tweetsFullarchiveSearch", "tweetCountsFullArchiveSearch"})


class Credentials:
    """Tokens that were given out, and what each project has read this month."""

    def __init__(self, limits: ApiLimits) -> None:
        self.limits = limits
        self.cap: int | None = CAP
        self.month = ""
        """UTC month of `read`, as 2026-08."""
        self.read: Counter[str] = Counter()
        """Posts by project."""
        self.projects: dict[str, str] = {}
        """App → project, of those that are not alone in theirs."""
        self.revoked: set[str] = set()
        self.refreshes: dict[str, int] = {}
        """Refresh token that is good → how often its user has refreshed."""
        self.access: dict[str, tuple[float, str]] = {}
        """Access token → when it ends, in seconds of the sandbox's clock, and its app."""

    def told(self) -> dict[str, Any]:
        """What is in force."""
        return {
            "cap": self.cap, "read": dict(self.read), "revoked": sorted(self.revoked), "projects": self.projects,
            "limits": self.limits.told(),
        }  # fmt: skip

    def set(self, wanted: Mapping[str, Any]) -> None:
        """`cap`: posts that a project may read this month (null: any number), `revoke`: a token, `projects`: of apps,
        `limits`: see ApiLimits.set. Raises SandboxError.
        """
        if set(wanted) - {"cap", "revoke", "projects", "limits"}:
            raise SandboxError("api: has to be an object of cap, revoke, projects and limits.")
        cap, projects = wanted.get("cap", self.cap), wanted.get("projects", self.projects)
        if cap is not None and (isinstance(cap, bool) or not isinstance(cap, int) or cap < 0):
            raise SandboxError("api.cap: has to be a whole number of at least 0, or null.")
        if "revoke" in wanted and not isinstance(wanted["revoke"], str):
            raise SandboxError("api.revoke: has to be a token.")
        if not isinstance(projects, Mapping) or not all(isinstance(name, str) for name in projects.values()):
            raise SandboxError("api.projects: has to be an object of project names by app.")
        if "limits" in wanted:
            self.limits.set(wanted["limits"])
        self.cap, self.projects = cap, dict(projects)
        if "revoke" in wanted:
            self.revoked.add(wanted["revoke"])
            self.access.pop(wanted["revoke"], None)

    def holder(self, token: str) -> tuple[Scope, str]:
        """Whose limits a token has: its app's, or its user's of an app."""
        if token.startswith("user-"):
            return "user", f"{token.rpartition('-')[0]} of {self.app(token)}"
        return "app", self.app(token)

    def app(self, token: str) -> str:
        """The app that a token is of."""
        return self.access[token][1] if token in self.access else token.partition("~")[0]

    def count(self, token: str, posts: int, now: float) -> None:
        """Posts that a project has read."""
        self._turn(now)
        self.read[self._project(token)] += posts

    def spent(self, token: str, now: float) -> bool:
        """Whether the month's posts of the token's project are used up."""
        self._turn(now)
        return self.cap is not None and self.read[self._project(token)] >= self.cap

    def _project(self, token: str) -> str:
        return self.projects.get(self.app(token), self.app(token))

    def _turn(self, now: float) -> None:
        month = datetime.fromtimestamp(now, UTC).strftime("%Y-%m")
        if month != self.month:
            self.month = month
            self.read.clear()

    def known(self, token: str, now: float) -> bool:
        """Whether a bearer token is one: given out and not over, or an app's own."""
        if not token or token.startswith("bad-") or token in self.revoked:
            return False
        return self.access.get(token, (0.0, ""))[0] > now if token.startswith("user-") else True

    def may(self, token: str, operation: str) -> bool:
        """Whether the token's plan has the operation."""
        if token.startswith("free-"):
            return operation in FREE
        return not (token.startswith("basic-") and operation in PRO)

    def give(self, request: Request, now: float) -> Response:
        """`POST 2/oauth2/token`: a refresh token is good once; `refresh-…` begins a user's chain of them."""
        asked = {name: values[-1] for name, values in parse_qs(request.body.decode("latin-1")).items()}
        token = asked.get("refresh_token", "")
        known = token in self.refreshes or (token.startswith("refresh-") and token.count("-") == 1)
        if asked.get("grant_type") != "refresh_token" or not known or token in self.revoked:
            body = {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
            return json_response(body, 400)
        client = _client(request.headers.get("authorization", "")) or asked.get("client_id")
        if not client:
            body = {"error": "unauthorized_client", "error_description": "Missing valid authorization header"}
            return json_response(body, 401)
        turn = self.refreshes.pop(token, 0) + 1
        self.revoked.add(token)
        user = token.split("-")[1]
        fresh, access = f"refresh-{user}-{turn}", f"user-{user}-{turn}"
        self.refreshes[fresh] = turn
        self.access[access] = (now + LIVES_S, client)
        return json_response({
            "access_token": access, "expires_in": LIVES_S, "refresh_token": fresh, "token_type": "bearer",
            "scope": "tweet.read users.read list.read offline.access",
        })  # fmt: skip


def _client(authorization: str) -> str:
    """The client id of a confidential app; "" where there is none."""
    kind, _, pair = authorization.partition(" ")
    try:
        return b64decode(pair).decode("latin-1").partition(":")[0] if kind == "Basic" else ""
    except ValueError:  # no base64, or no ASCII at all
        return ""
