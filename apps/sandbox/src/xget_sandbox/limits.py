"""X's limits: so many requests per account and operation in 15 minutes, told in headers."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xget_sandbox.errors import SandboxError

WINDOW_S = 900
PER_WINDOW = {
    "SearchTimeline": 50,
    "UserTweets": 50,
    "UserTweetsAndReplies": 50,
    "Followers": 50,
    "BlueVerifiedFollowers": 50,
    "UserByScreenName": 150,
    "TweetDetail": 150,
}
OTHERS = 500


class SandboxClock:
    """Real time, moved forward on demand. Seconds since 1970.

    Beside it runs the virtual clock of the world, from 0: it moves only on demand, or `speed` seconds a second.
    """

    def __init__(self, speed: float = 0.0) -> None:
        self.offset = 0.0
        self.speed = speed
        self._started = time.monotonic()

    def elapsed(self) -> float:
        """Seconds of the virtual clock since the start."""
        ran = (time.monotonic() - self._started) * self.speed if self.speed else 0.0
        return self.offset + ran

    def now(self) -> float:
        """What X's clock says."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self.offset += seconds


@dataclass(slots=True)
class Window:
    """A budget of requests until `reset` (Unix seconds)."""

    limit: int
    remaining: int
    reset: int

    def headers(self, prefix: str = "x-rate-limit") -> dict[str, str]:
        """As X tells them."""
        return {
            f"{prefix}-limit": str(self.limit),
            f"{prefix}-remaining": str(self.remaining),
            f"{prefix}-reset": str(self.reset),
        }


class Limits:
    """Windows by (account, operation); real limits times `scale`."""

    def __init__(self, clock: SandboxClock, scale: float) -> None:
        self.clock = clock
        self.scale = scale
        self.own: dict[str, int] = {}
        self._windows: dict[tuple[str, str], Window] = {}

    def take(self, account: str, operation: str) -> tuple[bool, Window]:
        """Count one request; False when the budget was already used up."""
        window = self._window(account, operation)
        if window.remaining <= 0:
            return False, window
        window.remaining -= 1
        return True, window

    def exhaust(self, account: str, operation: str, seconds: float) -> Window:
        """Use the whole budget up and let it come back after `seconds`."""
        window = self._window(account, operation)
        self.spend(window, seconds)
        return window

    def spend(self, window: Window, seconds: float) -> None:
        """Nothing is left of a window until `seconds` have passed."""
        window.remaining = 0
        window.reset = math.ceil(self.clock.now() + seconds)

    def set(self, wanted: object) -> None:
        """Another scale, own limits of operations, or both; all windows are forgotten. Raises SandboxError."""
        given = parse_limits(wanted)
        self.scale = float(given.get("scale", self.scale))
        self.own = dict(given.get("operations", self.own))
        self.clear()

    def told(self) -> dict[str, Any]:
        """What is in force."""
        return {"scale": self.scale, "operations": self.own}

    def clear(self) -> None:
        """Forget all windows."""
        self._windows.clear()

    def window(self, holder: str, operation: str, limit: int, seconds: int) -> Window:
        """The running window of a holder, of `limit` requests when it begins."""
        now = self.clock.now()
        window = self._windows.get((holder, operation))
        if window is None or window.reset <= now:
            window = Window(limit, limit, math.ceil(now + seconds))
            self._windows[holder, operation] = window
        return window

    def _window(self, account: str, operation: str) -> Window:
        limit = self.own.get(operation) or max(1, round(PER_WINDOW.get(operation, OTHERS) * self.scale))
        return self.window(account, operation, limit, WINDOW_S)


def parse_limits(wanted: object) -> Mapping[str, Any]:
    """{scale, operations: {name: requests in 15 minutes}}. Raises SandboxError."""
    if not isinstance(wanted, Mapping) or set(wanted) - {"scale", "operations"}:
        raise SandboxError("limits: has to be an object of scale and operations.")
    scale, operations = wanted.get("scale", 1), wanted.get("operations", {})
    if isinstance(scale, bool) or not isinstance(scale, (int, float)) or scale <= 0:
        raise SandboxError("limits.scale: has to be a number above 0.")
    if not isinstance(operations, Mapping):
        raise SandboxError("limits.operations: has to be an object of numbers by operation.")
    for name, value in operations.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise SandboxError(f"limits.operations.{name}: has to be a whole number of at least 1.")
    return wanted
