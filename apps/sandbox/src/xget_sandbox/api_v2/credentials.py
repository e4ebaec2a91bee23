"""Who asks: apps with a bearer token, users whose tokens are refreshed, and what their plan lets them do.

Any bearer token is taken. What it begins with is its plan: `free-` is enrolled for looking up posts and users only,
`basic-` for the last seven days of searches, any other one for everything; `bad-` is no token at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from xget_sandbox.errors import SandboxError
from xget_sandbox.http import Request, Response, json_response

LIVES_S = 7200
FREE = frozenset({"findTweetsById", "findTweetById", "findUserByUsername", "findUsersByUsername", "findUserById"})
PRO = frozenset({"tweetsFullarchiveSearch", "tweetCountsFullArchiveSearch"})


class Credentials:
    """Tokens that were given out, and what each app has read this month."""

    def __init__(self) -> None:
        self.cap: int | None = None
        self.read: Counter[str] = Counter()
        self.revoked: set[str] = set()
        self.refreshes: dict[str, int] = {}
        """Refresh token that is good → how often its user has refreshed."""
        self.access: dict[str, float] = {}
        """Access token → when it ends, in seconds of the sandbox's clock."""

    def told(self) -> dict[str, Any]:
        """What is in force."""
        return {"cap": self.cap, "read": dict(self.read), "revoked": sorted(self.revoked)}

    def set(self, wanted: Mapping[str, Any]) -> None:
        """`cap`: posts that an app may read this month (null: any number), `revoke`: a token. Raises SandboxError."""
        if set(wanted) - {"cap", "revoke"}:
            raise SandboxError("api: has to be an object of cap and revoke.")
        cap = wanted.get("cap", self.cap)
        if cap is not None and (isinstance(cap, bool) or not isinstance(cap, int) or cap < 0):
            raise SandboxError("api.cap: has to be a whole number of at least 0, or null.")
        if "revoke" in wanted and not isinstance(wanted["revoke"], str):
            raise SandboxError("api.revoke: has to be a token.")
        self.cap = cap
        if "revoke" in wanted:
            self.revoked.add(wanted["revoke"])
            self.access.pop(wanted["revoke"], None)

    def known(self, token: str, now: float) -> bool:
        """Whether a bearer token is one: given out and not over, or an app's own."""
        if not token or token.startswith("bad-") or token in self.revoked:
            return False
        return self.access.get(token, 0.0) > now if token.startswith("user-") else True

    def may(self, token: str, operation: str) -> bool:
        """Whether the token's plan has the operation."""
        if token.startswith("free-"):
            return operation in FREE
        return not (token.startswith("basic-") and operation in PRO)

    def spent(self, token: str) -> bool:
        """Whether the month's posts are used up."""
        return self.cap is not None and self.read[token] >= self.cap

    def give(self, request: Request, now: float) -> Response:
        """`POST 2/oauth2/token`: a refresh token is good once; `refresh-…` begins a user's chain of them."""
        asked = {name: values[-1] for name, values in parse_qs(request.body.decode("latin-1")).items()}
        token = asked.get("refresh_token", "")
        known = token in self.refreshes or (token.startswith("refresh-") and token.count("-") == 1)
        if asked.get("grant_type") != "refresh_token" or not known or token in self.revoked:
            body = {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
            return json_response(body, 400)
        if not request.headers.get("authorization", "").startswith("Basic ") and not asked.get("client_id"):
            body = {"error": "unauthorized_client", "error_description": "Missing valid authorization header"}
            return json_response(body, 401)
        turn = self.refreshes.pop(token, 0) + 1
        self.revoked.add(token)
        user = token.split("-")[1]
        fresh, access = f"refresh-{user}-{turn}", f"user-{user}-{turn}"
        self.refreshes[fresh] = turn
        self.access[access] = now + LIVES_S
        return json_response({
            "access_token": access, "expires_in": LIVES_S, "refresh_token": fresh, "token_type": "bearer",
            "scope": "tweet.read users.read list.read offline.access",
        })  # fmt: skip
