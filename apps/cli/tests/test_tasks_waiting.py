"""What a list of tasks says of one that waits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from xget_cli.commands.tasks.waiting import told_waiting

NOW = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("waiting", "told"),
    [
        (None, ""),
        ({"reason": "worker", "until": None, "accounts": None}, "a worker"),
        ({"reason": "storage"}, "storage"),
        (
            {"reason": "account", "until": "2026-03-01T14:32:05Z", "accounts": 7},
            "an account until 14:32 UTC (then 7 have room)",
        ),
        ({"reason": "account", "until": "2026-03-02T00:00:00Z"}, "an account until 2026-03-02 00:00 UTC"),
        ({"reason": "retry", "until": "2026-03-01T15:00:04+01:00"}, "the next try until 14:00 UTC"),
        ({"reason": "news"}, "news"),
    ],
)
def test_a_wait_is_told_in_a_few_words(waiting: dict[str, Any] | None, told: str) -> None:
    assert told_waiting({"waiting": waiting}, NOW) == told
