"""X's limits: so many requests per account and operation in 15 minutes, told in headers."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

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
    """Real time, moved forward on demand. Seconds since 1970."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """What X's clock says."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self.offset += seconds


@dataclass(slots=True)
class Window:
    """One account's budget for one operation until `reset` (Unix seconds)."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """As X tells them."""
        return {
            "x-rate-limit-limit": str(self.limit),
            "x-rate-limit-remaining": str(self.remaining),
            "x-rate-limit-reset": str(self.reset),
        }


class Limits:
    """Windows by (account, operation); real limits times `scale`."""

    def __init__(self, clock: SandboxClock, scale: float) -> None:
        self.clock = clock
        self.scale = scale
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
        window.remaining = 0
        window.reset = math.ceil(self.clock.now() + seconds)
        return window

    def clear(self) -> None:
        """Forget all windows."""
        self._windows.clear()

    def _window(self, account: str, operation: str) -> Window:
        now = self.clock.now()
        window = self._windows.get((account, operation))
        if window is None or window.reset <= now:
            limit = max(1, round(PER_WINDOW.get(operation, OTHERS) * self.scale))
            window = Window(limit, limit, math.ceil(now + WINDOW_S))
            self._windows[account, operation] = window
        return window
