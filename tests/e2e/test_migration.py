"""A node is killed in the middle of a run, moved into real engines, and goes on there as if nothing had been."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xget_testing.engines import url_of
from xget_testing.node import XGET, Node, Sandbox, clean_env, running_sandbox
from xget_testing.own_names import own_names
from xget_testing.people import Person
from xget_testing.waiting import eventually

ENGINES = ("postgres", "mongodb", "elasticsearch", "redis", "kafka")
pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]
SEARCH = {"query": "AI OR 人工智能"}
PASSWORD = "correct horse battery staple"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path / "sandbox", "--posts", "2500") as running:
        yield running


@pytest.fixture
def engines() -> Iterator[dict[str, str]]:
    with own_names({name: url_of(name) for name in ENGINES}) as env:
        yield env


def migrated(source: Path, home: Path, env: dict[str, str]) -> dict[str, Any]:
    command = [XGET, "migrate-data", "--from", str(source), "--json"]
    given = {**clean_env(), **env, "XGET_HOME": str(home)}
    for _ in range(5):  # engines that are too busy for its first look are asked again
        done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=600, check=False)
        if not (done.returncode and "does not answer" in done.stderr):
            break
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def results(person: Person, task_id: str) -> dict[str, Any]:
    found, cursor = {}, None
    while True:
        params = {"limit": 100, **({"cursor": cursor} if cursor else {})}
        page = person.api("GET", f"/tasks/{task_id}/results", params=params)
        found |= {item["key"]: item for item in page["items"]}
        cursor = page["next_cursor"]
        if not cursor:
            return found


def begun(person: Person, sandbox: Sandbox) -> tuple[str, str]:
    """A task that is through, and one in the middle of its run."""
    cookies = f"auth_token={'one' * 8}; ct0={'c' * 32}"
    person.api("POST", "/proxies/import", json={"text": sandbox.proxy})
    person.api("POST", "/accounts/import", json={"text": cookies, "username": "one"})
    body = {"task_name": "n", "task_type": "KEYWORD_SEARCH"}
    first = person.api("POST", "/tasks", json={**body, "parameters": {**SEARCH, "limit": 60}})["id"]
    assert person.settled(first)["status"] == "COMPLETED"
    eventually(
        lambda: person.api("GET", "/data/search", params={"task_id": first})["total"] == len(results(person, first))
    )
    second = person.api("POST", "/tasks", json={**body, "parameters": SEARCH})["id"]
    eventually(lambda: (person.api("GET", f"/tasks/{second}")["result_count"] or 0) >= 60)
    return first, second


def test_a_killed_node_goes_on_in_the_cluster(tmp_path: Path, sandbox: Sandbox, engines: dict[str, str]) -> None:
    truth = {str(one) for one in sandbox.truth(task_type="KEYWORD_SEARCH", **SEARCH)["matches"]}
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old, new = Node(tmp_path / "old", sandbox, open_mode=False), Node(tmp_path / "new", sandbox, open_mode=False)
    new.env.update(engines)
    try:
        old.start()
        before = Person(old.url, "alice", PASSWORD)
        assert before.register().is_success
        before.login()
        first, second = begun(before, sandbox)
        stored = results(before, first)
        searched = before.api("GET", "/data/search", params={"task_id": first, "size": 100, "sort": "newest"})
        assert old.process is not None
        old.process.kill()
        before.close()

        report = migrated(old.home, new.home, engines)
        assert all(line["verified"] for line in report["lines"])
        assert next(line for line in report["lines"] if line["name"] == "secrets")["source"] >= 2

        new.start()
        after = Person(new.url, "alice", PASSWORD)
        after.login()
        task = after.settled(second)
        assert task["status"] == "COMPLETED", task
        found = results(after, second)
        assert {item["native_id"] for item in found.values() if item["role"] == "match"} == truth
        again = results(after, first)
        assert again.keys() == stored.keys()
        for key, item in stored.items():
            same = ("text", "role", "first_seen", "author_username", "metrics", "execution_id")
            assert {name: again[key][name] for name in same} == {name: item[name] for name in same}
        query = {"task_id": first, "size": 100, "sort": "newest"}
        eventually(lambda: after.api("GET", "/data/search", params=query)["total"] == searched["total"])
        now = after.api("GET", "/data/search", params=query)
        assert [item["key"] for item in now["items"]] == [item["key"] for item in searched["items"]]
        after.close()
    finally:
        old.close()
        new.close()
