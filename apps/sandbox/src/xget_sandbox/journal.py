"""What was asked and how it was answered, for tests and curious people."""

from __future__ import annotations

from collections import deque
from typing import Any

KEPT = 50_000


class Journal:
    """The last 50,000 GraphQL requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._count = 0

    def add(
        self, at: float, operation: str, account: str, *, status: int, fault: str | None, variables: dict[str, Any]
    ) -> None:
        """Write one request down; `at` is Unix seconds of the sandbox's clock, `account` its auth_token."""
        self._count += 1
        self._entries.append(
            {
                "n": self._count,
                "at": round(at, 3),
                "operation": operation,
                "account": account,
                "status": status,
                "fault": fault,
                "cursor": variables.get("cursor"),
                "query": variables.get("rawQuery"),
            }
        )

    def entries(self, after: int = 0) -> list[dict[str, Any]]:
        """Requests with a number above `after`."""
        return [entry for entry in self._entries if entry["n"] > after]
