"""A search of thousands of posts on an X that stalls, lies "no more" and repeats cursors, with a kill -9 and a stop.

What is stored is what exists, or the gaps name exactly what is missing; then a backfill makes it equal. `make soak`
does so with 20,000 posts of 90 days (XGET_SOAK=1).
"""

import math
import os
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from xget_testing.node import Node, Sandbox, running_sandbox

pytestmark = pytest.mark.slow
SOAK = os.environ.get("XGET_SOAK") == "1"
EVERYTHING = "(lang:en OR lang:zh) include:nativeretweets"
END = datetime(2026, 8, 1, 12, tzinfo=UTC)
"""Of the sandbox's world."""
PER_PAGE = 20
ENDED = ("COMPLETED", "FAILED", "STOPPED")
SECOND = timedelta(seconds=1)
Spans = list[tuple[datetime, datetime]]


@dataclass(frozen=True)
class Size:
    """How much there is, where listings stall, and how long it may take."""

    posts: int
    days: int
    stall: int
    seconds: float
    slow: float
    """Seconds for each page, so that the run is not over while whoever interrupts it is held up."""


SMALL = Size(posts=1_000, days=9, stall=200, seconds=400, slow=0.4)
LARGE = Size(posts=20_000, days=90, stall=800, seconds=1_800, slow=0.0)
ONLY_SOAK = pytest.mark.skipif(not SOAK, reason="takes ten minutes; `make soak` runs it")


def collected(node: Node, task_id: str, posts: int, seconds: float) -> None:
    """Wait until so many posts are stored, or the run has ended."""
    deadline = time.monotonic() + seconds
    while (task := node.api("GET", f"/tasks/{task_id}"))["result_count"] < posts and task["status"] not in ENDED:
        assert time.monotonic() < deadline, task
        time.sleep(0.2)


def stored(node: Node, task_id: str) -> set[str]:
    """The ids of the task's matches, each of which stands once."""
    found = Counter(one["native_id"] for one in node.results(task_id) if one["role"] == "match")
    assert not [one for one, times in found.items() if times > 1]
    return set(found)


def gaps(node: Node, execution: str) -> Spans:
    """From and to of every gap of an execution."""
    spans: Spans = []
    page = 0
    while True:
        page += 1
        answer = node.api("GET", f"/task-executions/{execution}/gaps", params={"size": 100, "page": page})
        for one in answer["items"]:
            spans.append((datetime.fromisoformat(one["since"]), datetime.fromisoformat(one["until"])))
        if page >= answer["pages"]:
            return spans


def check_gaps(spans: Spans, truth: dict[str, datetime], kept: set[str]) -> None:
    """Every post is stored or in a gap, and no gap, but for the seconds at its edges, names what is stored."""
    assert kept <= truth.keys()
    lost = [one for one in truth.keys() - kept if not any(since <= truth[one] < until for since, until in spans)]
    assert not lost, f"missing and in no gap: {lost[:5]}"
    named = [one for one in kept if any(since + SECOND <= truth[one] < until - SECOND for since, until in spans)]
    assert not named, f"stored and in a gap: {named[:5]}"


def die_and_come_back(node: Node) -> None:
    assert node.process is not None
    node.process.kill()
    node.start()


def requests_of(node: Node, task_id: str) -> int:
    executions = node.api("GET", f"/task-executions/task/{task_id}")["items"]
    return sum(int(one["requests"]) for one in executions)


@pytest.mark.parametrize("size", [SMALL, pytest.param(LARGE, marks=ONLY_SOAK)], ids=["small", "large"])
def test_what_is_stored_is_what_exists_or_the_gaps_name_what_is_missing(tmp_path: Path, size: Size) -> None:
    paging = f"stall={size.stall},lie=0.01,flicker=0.01"
    options = ("--posts", str(size.posts), "--days", str(size.days), "--seed", "11", "--paging", paging)
    settings = ("--faults", f"repeat-cursor%0.01,slow={size.slow}%1", "--limit-scale", "1000")
    with running_sandbox(tmp_path / "sandbox", *options, *settings) as sandbox:
        node = Node(tmp_path, sandbox)
        try:
            node.start()
            node.add_proxy(sandbox.proxy)
            for name in ("one", "two"):
                node.add_account(name)
            told = run(node, sandbox, size)
        finally:
            node.close()
    print(told)
    assert told["requests"] <= told["fewest"] * 1.5, told


def run(node: Node, sandbox: Sandbox, size: Size) -> dict[str, Any]:
    """The search, its kill, its gaps and the backfill; requests, and the fewest that could do."""
    full = sandbox.truth(task_type="KEYWORD_SEARCH", query=EVERYTHING, full="1")["posts"]
    truth = {one: datetime.fromisoformat(facts["created_at"]) for one, facts in full.items()}
    assert len(truth) == size.posts
    window = {"since": (END - timedelta(days=size.days + 1)).isoformat(), "until": END.isoformat()}
    task_id = node.create("KEYWORD_SEARCH", {"query": EVERYTHING, **window})
    collected(node, task_id, size.posts * 2 // 5, size.seconds)
    die_and_come_back(node)
    collected(node, task_id, size.posts * 3 // 5, size.seconds)
    node.api("POST", f"/tasks/{task_id}/stop")
    sandbox.faults("repeat-cursor%0.01")
    task = node.wait_for(task_id, size.seconds)
    first, kept = node.certificate(task_id), stored(node, task_id)
    assert len(kept) >= size.posts * 3 // 5, "it was interrupted under way"
    spans = gaps(node, task["execution_id"])
    check_gaps(spans, truth, kept)
    assert (first["complete"], first["gaps_total"]) == (False, len(spans))
    rounds = 0
    while not node.certificate(task_id)["complete"]:
        rounds += 1
        assert rounds <= 3, node.certificate(task_id)
        node.api("POST", f"/tasks/{task_id}/backfill")
        node.wait_for(task_id, size.seconds)
    assert stored(node, task_id) == truth.keys()
    return {
        "requests": requests_of(node, task_id), "fewest": math.ceil(size.posts / PER_PAGE),
        "gaps": len(spans), "missing": len(truth) - len(kept), "backfills": rounds, "windows": first["windows"],
    }  # fmt: skip
