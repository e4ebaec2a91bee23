"""Everything that is stored against everything that exists."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from xget_testing.trials.collection import Collection, Wanted
from xget_testing.trials.evidence import Evidence
from xget_testing.waiting import eventually


def judge(collection: Collection, evidence: Evidence, *, search_seconds: float = 120) -> None:
    """Fails when an item is lost or doubled, a count is wrong, an account is leased, or search lacks something."""
    seen: dict[str, list[dict[str, Any]]] = {}
    for sighting in evidence.sightings():
        seen.setdefault(sighting["e"], []).append(sighting)
    new = sum(_judge_task(collection, task, wanted, seen) for task, wanted in collection.tasks.items())
    assert not seen, f"executions that nobody ordered: {list(seen)}"
    ask = collection.ask
    assert ask("GET", "/tasks", params={"size": 1})["total"] == len(collection.tasks), "an order became two tasks"
    items = evidence.items()
    assert new == len(items), f"{len(items)} items, and certificates call {new} new"
    assert ask("GET", "/data", params={"size": 1})["total"] == len(items)
    eventually(lambda: evidence.searchable() == items, search_seconds, pause=0.5)
    assert evidence.dead_letters() == {}
    for account in ask("GET", "/accounts")["items"]:
        eventually(partial(_is_free, collection, account["id"]), 30)  # given back, not run out


def _is_free(collection: Collection, account_id: str) -> bool:
    return not collection.ask("GET", f"/accounts/{account_id}/status").get("lease")


def _judge_task(collection: Collection, task_id: str, wanted: Wanted, seen: dict[str, list[dict[str, Any]]]) -> int:
    """Judge one task and take what it saw out of `seen`; how many items were new to it."""
    task = collection.ask("GET", f"/tasks/{task_id}")
    assert task["status"] == "COMPLETED", f"{wanted.query}: {task['status']} {task['error_message']}"
    execution = collection.execution(task_id)
    found = seen.pop(execution["id"])
    twice = [key for key, n in Counter(one["k"] for one in found).items() if n > 1]
    assert not twice, f"{wanted.query}: sightings stand twice: {twice[:5]}"
    matches = {one["k"].removeprefix("x:") for one in found if one.get("m") is not None}
    truth = set(wanted.ids)
    assert matches == truth, f"{wanted.query}: lost {len(truth - matches)}, strangers {len(matches - truth)}"
    certificate = collection.ask("GET", f"/task-executions/{execution['id']}/certificate")
    counts = certificate["counts"]
    told = f"{wanted.query}: {counts} of {len(truth)} matches, {len(found)} sightings"
    assert certificate["complete"] is True, told
    assert certificate["end_reason"] == ("limit_reached" if len(truth) == wanted.limit else "exhausted"), told
    assert counts["matched"] == len(truth) == task["result_count"], told
    assert counts["matched"] + counts["context"] == len(found), told
    assert counts["new"] + counts["updated"] + counts["unchanged"] == len(found), told
    assert counts["quarantined"] == 0, told
    assert execution["pages"] == execution["pages_stored"] == certificate["pages"], told
    return int(counts["new"])
