"""The scraper service's own examples, as they are printed, against its own port; and the states that refuse."""

import time
from typing import Any

import httpx2 as httpx
import pytest

from xget_testing.node import Node, Sandbox, running_node, running_sandbox

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory):
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--posts", "600") as running:
        yield running


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox):
    with running_node(tmp_path_factory.mktemp("node"), sandbox) as running:
        yield running


@pytest.fixture(scope="module")
def scraper(node: Node):
    """The scraper's own port: its examples say http://localhost:8003."""
    with httpx.Client(base_url=f"http://localhost:{node.base + 3}", timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def body(node: Node) -> dict[str, Any]:
    return {
        "task_name": "采集埃隆马斯克推文",
        "describe": "采集埃隆马斯克的最新推文",
        "task_type": "USER_TWEETS",
        "parameters": {"username": "elonmusk", "limit": 50, "include_replies": False, "include_retweets": False},
        "account_id": node.api("GET", "/accounts")["items"][0]["id"],
        "proxy_id": node.api("GET", "/proxies")["items"][0]["id"],
        "user_id": "user123",
    }


@pytest.fixture(scope="module")
def task(scraper: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = scraper.post("/api/v1/tasks", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/api/v1/tasks/{found['id']}"
    return found


def ended(scraper: httpx.Client, task_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 240
    while True:
        found: dict[str, Any] = scraper.get(f"/api/v1/tasks/{task_id}").json()
        if found["status"] in {"COMPLETED", "FAILED", "STOPPED"}:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_the_task_comes_back_as_it_was_asked_for(task: dict[str, Any], body: dict[str, Any]) -> None:
    assert {name: task[name] for name in body} == body


def test_it_collects_for_the_user_it_was_created_for(scraper: httpx.Client, task: dict[str, Any], body: Any) -> None:
    found = ended(scraper, task["id"])
    assert (found["status"], found["result_count"], found["progress"]) == ("COMPLETED", 50, 100)
    results = scraper.get(f"/api/v1/tasks/{task['id']}/results?limit=20").json()
    assert len(results["items"]) == 20
    assert results["matched"] == 50
    assert results["next_cursor"]
    assert {i["author_username"] for i in results["items"] if i["role"] == "match"} == {"elonmusk"}


def test_lists_take_the_printed_queries(scraper: httpx.Client, task: dict[str, Any], body: dict[str, Any]) -> None:
    everything = scraper.get("/api/v1/tasks?page=1&size=20").json()
    assert everything["items"][0]["id"] == task["id"]
    assert {"items", "page", "size", "total", "pages"} <= everything.keys()
    assert (everything["page"], everything["size"]) == (1, 20)
    waiting = scraper.post("/api/v1/tasks", json={**body, "immediate": False}).json()
    pending = scraper.get("/api/v1/tasks?user_id=user123&status=PENDING").json()
    assert [one["id"] for one in pending["items"]] == [waiting["id"]]
    of_type = scraper.get("/api/v1/tasks?task_type=USER_TWEETS&page=1&size=10").json()
    assert {one["id"] for one in of_type["items"]} == {waiting["id"], task["id"]}
    assert scraper.get("/api/v1/tasks?user_id=nobody").json()["total"] == 0


def test_it_can_be_started_again_and_shows_each_execution(scraper: httpx.Client, task: dict[str, Any]) -> None:
    ended(scraper, task["id"])
    answer = scraper.post(f"/api/v1/tasks/{task['id']}/start")
    assert answer.status_code == 202
    assert answer.json()["status"] in {"PENDING", "RUNNING"}
    assert ended(scraper, task["id"])["status"] == "COMPLETED"
    runs = scraper.get(f"/api/v1/task-executions/task/{task['id']}").json()
    assert [run["status"] for run in runs["items"]] == ["COMPLETED", "COMPLETED"]
    one = scraper.get(f"/api/v1/task-executions/{runs['items'][0]['id']}").json()
    assert one["result_count"] == 50
    assert one["user_id"] == "user123"


def test_what_runs_is_neither_started_nor_deleted_nor_changed(
    scraper: httpx.Client, sandbox: Sandbox, body: dict[str, Any]
) -> None:
    sandbox.faults("slow=30%1")
    try:
        task = scraper.post("/api/v1/tasks", json=body).json()
        path = f"/api/v1/tasks/{task['id']}"
        for method, url, options in (
            ("POST", f"{path}/start", {}),
            ("DELETE", path, {}),
            ("PUT", path, {"json": body}),
        ):
            answer = scraper.request(method, url, **options)
            assert answer.status_code == 409, (method, url)
            assert f"POST /api/v1/tasks/{task['id']}/stop" in answer.json()["detail"]  # the way out
        assert scraper.post(f"{path}/stop").status_code == 202
        found = ended(scraper, task["id"])
    finally:
        sandbox.faults("")
    assert found["status"] == "STOPPED"
    again = scraper.post(f"{path}/stop")
    assert again.status_code == 409
    assert "nothing to stop" in again.json()["detail"]
    assert scraper.delete(path).status_code == 204
    assert scraper.get(path).status_code == 404
    assert scraper.delete(path).status_code == 404


def test_a_batch_answers_each_element_on_its_own(scraper: httpx.Client, body: dict[str, Any]) -> None:
    bad = {**body, "parameters": {"username": "elonmusk", "limit": 0}}
    answer = scraper.post("/api/v1/tasks/batch", json=[{**body, "immediate": False}, bad, {"task_name": 5}])
    assert answer.status_code == 207
    found = answer.json()
    assert [line["status"] for line in found["items"]] == [201, 422, 422]
    assert found["items"][1]["problem"]["errors"][0]["field"] == "parameters.limit"
    assert (found["created"], found["refused"]) == (1, 2)
    for empty in ([], [body] * 101, {}, "text"):
        assert scraper.post("/api/v1/tasks/batch", json=empty).status_code == 422


def test_the_same_key_makes_one_task(scraper: httpx.Client, body: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "once"}
    wanted = {**body, "immediate": False}
    first, second = (scraper.post("/api/v1/tasks", json=wanted, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    other = scraper.post("/api/v1/tasks", json={**wanted, "task_name": "other"}, headers=headers)
    assert other.status_code == 422
    assert other.json()["type"].endswith("idempotency_key_reused")


def test_an_overtaken_change_is_refused(scraper: httpx.Client, body: dict[str, Any]) -> None:
    task = scraper.post("/api/v1/tasks", json={**body, "immediate": False})
    path, seen = f"/api/v1/tasks/{task.json()['id']}", task.headers["etag"]
    change = {**body, "task_name": "新名字", "immediate": False}
    changed = scraper.put(path, json=change, headers={"If-Match": seen})
    assert changed.json()["task_name"] == "新名字"
    assert scraper.put(path, json=change, headers={"If-Match": seen}).status_code == 412
