"""Limits of API v2 as X documents them: by app (its bearer token) or by user (OAuth 2.0), endpoint and window.

Figures of docs.x.com/x-api/fundamentals/rate-limits (September 2026). Which window the `x-rate-limit-*` headers tell of
an endpoint with several is not documented: here it is the one of 15 minutes, where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from xget_sandbox.errors import SandboxError
from xget_sandbox.limits import WINDOW_S, Limits, Window

DAY_S = 86_400
CAP = 3_000_000
"""Posts that a project may read in a month when it pays by use."""
Scope = Literal["app", "user"]
Allowed = tuple[tuple[int, int], ...]
"""Requests and seconds of each window; none: tokens of this kind are not taken."""


@dataclass(frozen=True)
class Documented:
    """What an endpoint allows."""

    app: Allowed
    user: Allowed


def _each(app: int, user: int) -> Documented:
    return Documented(((app, WINDOW_S),), ((user, WINDOW_S),) if user else ())


DOCUMENTED: Mapping[str, Documented] = {
    "tweetsRecentSearch": _each(450, 300),
    "tweetsFullarchiveSearch": Documented(((1, 1), (300, WINDOW_S)), ((1, 1),)),
    "tweetCountsRecentSearch": _each(300, 0),
    "tweetCountsFullArchiveSearch": _each(300, 0),
    "findTweetsById": _each(3500, 5000),
    "findTweetById": _each(450, 900),
    "findUserByUsername": _each(300, 900),
    "findUsersByUsername": _each(300, 900),
    "findUserById": _each(300, 900),
    "usersIdTweets": _each(10_000, 900),
    "usersIdFollowers": _each(300, 300),
    "usersIdFollowing": _each(300, 300),
    "listsIdTweets": _each(900, 900),
    "listGetMembers": _each(900, 900),
    "tweetsIdRetweetingUsers": _each(75, 75),
    "findTweetsThatQuoteATweet": _each(75, 75),
}
"""By X's own names of its operations."""


class ApiLimits:
    """Windows by app or user, endpoint and length; the documented ones times the sandbox's scale, or given ones."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.given: dict[str, Documented] = {}

    def allowed(self, scope: Scope, operation: str) -> Allowed:
        """The windows of an endpoint for a kind of token; none: it does not take that kind."""
        given = self.given.get(operation)
        if given is not None:
            return given.app if scope == "app" else given.user
        found = DOCUMENTED[operation]
        own, scale = self.limits.own.get(operation), self.limits.scale
        return tuple(
            (own if own and seconds == WINDOW_S else max(1, round(count * scale)), seconds)
            for count, seconds in (found.app if scope == "app" else found.user)
        )

    def take(self, scope: Scope, holder: str, operation: str) -> tuple[bool, dict[str, str]]:
        """Count a request in each of its windows; False and nothing counted when one of them is used up.

        With the headers that the answer tells them in.
        """
        windows = self._windows(scope, holder, operation)
        room = all(window.remaining > 0 for _, window in windows)
        for _, window in windows:
            window.remaining -= room
        return room, _headers(scope, windows)

    def exhaust(self, scope: Scope, holder: str, operation: str, seconds: float) -> dict[str, str]:
        """Use the windows up and let them come back after `seconds`."""
        windows = self._windows(scope, holder, operation)
        for _, window in windows:
            self.limits.spend(window, seconds)
        return _headers(scope, windows)

    def set(self, wanted: object) -> None:
        """{operation: {"app": [[requests, seconds], …], "user": […]}} in place of X's own. Raises SandboxError."""
        if not isinstance(wanted, Mapping) or set(wanted) - set(DOCUMENTED):
            raise SandboxError(f"api.limits: has to be an object by operation: {', '.join(DOCUMENTED)}.")
        self.given = {name: _documented(name, value) for name, value in wanted.items()}
        self.limits.clear()

    def told(self) -> dict[str, dict[str, Allowed]]:
        """What is in force."""
        return {
            name: {"app": self.allowed("app", name), "user": self.allowed("user", name)} for name in DOCUMENTED
        }  # fmt: skip

    def _windows(self, scope: Scope, holder: str, operation: str) -> list[tuple[int, Window]]:
        return [
            (seconds, self.limits.window(f"{scope} {holder}", f"{operation}/{seconds}", count, seconds))
            for count, seconds in self.allowed(scope, operation)
        ]


def _headers(scope: Scope, windows: list[tuple[int, Window]]) -> dict[str, str]:
    """The window of 15 minutes, else the shortest; that of a day has headers of its own."""
    short = sorted((pair for pair in windows if pair[0] < DAY_S), key=lambda pair: (pair[0] != WINDOW_S, pair[0]))
    told = short[0][1].headers() if short else {}
    for seconds, window in windows:
        if seconds == DAY_S:
            told |= window.headers(f"x-{scope}-limit-24hour")
    return told


def _documented(name: str, value: Any) -> Documented:
    if not isinstance(value, Mapping) or set(value) != {"app", "user"}:
        raise SandboxError(f"api.limits.{name}: has to be an object of app and user.")
    return Documented(*(tuple(_pair(name, pair) for pair in _list(name, value[scope])) for scope in ("app", "user")))


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise SandboxError(f"api.limits.{name}: app and user have to be lists of [requests, seconds].")
    return value


def _pair(name: str, value: Any) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2 or not all(type(one) is int and one > 0 for one in value):
        raise SandboxError(f"api.limits.{name}: [requests, seconds] have to be two whole numbers above 0.")
    return value[0], value[1]
