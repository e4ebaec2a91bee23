"""What is Alice's stays Alice's: for Bob it does not exist, in no list, under no address and in no search."""

import json
from typing import Any

import pytest

from xget_testing.people import Person, Town

pytestmark = pytest.mark.slow

MISSING = {
    "task": "01900000-0000-7000-8000-000000000001",
    "execution": "01900000-0000-7000-8000-000000000002",
    "account": "01900000-0000-7000-8000-000000000003",
    "proxy": "01900000-0000-7000-8000-000000000004",
    "record": "01900000-0000-7000-8000-000000000005",
    "item": "x:1234567890123456789",
}
TASK = {"task_name": "his", "task_type": "USER_INFO", "parameters": {"username": "elonmusk"}}
ROUTES = [
    ("GET", "/tasks/{task}", None),
    ("PUT", "/tasks/{task}", TASK),
    ("DELETE", "/tasks/{task}", None),
    ("POST", "/tasks/{task}/start", None),
    ("POST", "/tasks/{task}/stop", None),
    ("GET", "/tasks/{task}/status", None),
    ("GET", "/tasks/{task}/observations", None),
    ("GET", "/tasks/{task}/results", None),
    ("GET", "/tasks/{task}/events", None),
    ("POST", "/tasks/export/{task}", {"format": "jsonl"}),
    ("GET", "/tasks/search/results?q=AI&task_id={task}", None),
    ("GET", "/task-executions/{execution}", None),
    ("GET", "/task-executions/{execution}/certificate", None),
    ("GET", "/task-executions/task/{task}", None),
    ("GET", "/data/{item}", None),
    ("PUT", "/data/{item}", {"text": "his now"}),
    ("DELETE", "/data/{item}", None),
    ("GET", "/data/{item}/audit", None),
    ("GET", "/data/{item}/history", None),
    ("GET", "/quarantine/{record}", None),
    ("POST", "/quarantine/{record}/replay", None),
    ("POST", "/quarantine/{record}/dismiss", None),
    ("GET", "/accounts/{account}", None),
    ("GET", "/accounts/{account}/status", None),
    ("GET", "/proxies/{proxy}", None),
    ("PUT", "/accounts/{account}", {"active": False}),
    ("DELETE", "/accounts/{account}", None),
    ("PUT", "/proxies/{proxy}", {"status": "INACTIVE"}),
    ("DELETE", "/proxies/{proxy}", None),
    ("POST", "/proxies/check", {"ids": ["{proxy}"]}),
]
LISTS = [
    "/tasks",
    "/tasks?user_id={alice}",
    "/task-executions",
    "/task-executions?task_id={task}",
    "/accounts",
    "/proxies",
    "/proxies/available",
    "/quarantine",
    "/quarantine?task={task}",
    "/data",
    "/data?task_id={task}",
    "/data?execution_id={execution}&role=match",
    "/data/search",
    "/data/search?q=AI",
    "/data/search?task_id={task}",
    "/tasks/search/results?q=AI",
]


@pytest.fixture
def ids(town: Town, quarantined: str) -> dict[str, str]:
    return {**town.owned, "record": quarantined}


@pytest.fixture
def viewer(town: Town):
    """Somebody who may only look."""
    person = Person(str(town.admin.http.base_url), "vera", "a password of a viewer")
    assert person.register().status_code == 201
    town.grant(person, "viewer")
    person.login()
    yield person
    person.close()


def ask(person: Person, method: str, path: str, body: Any, ids: dict[str, str]) -> tuple[int, dict[str, Any], str]:
    """Status, problem and text of an answer, with the ids that were asked for taken out."""
    filled = json.loads(json.dumps(body).replace("{proxy}", ids["proxy"]))
    answer = person.ask(method, path.format(**ids), **({"json": filled} if body is not None else {}))
    text = answer.text
    for value in ids.values():
        text = text.replace(value, "…")
    return answer.status_code, json.loads(text), answer.text


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_what_is_alices_answers_bob_as_if_it_were_not_there(
    town: Town, ids: dict[str, str], method: str, path: str, body: Any
) -> None:
    hers = ask(town.bob, method, path, body, ids)
    missing = ask(town.bob, method, path, body, MISSING)
    assert hers[0] == missing[0] == 404
    assert hers[1] == missing[1]


@pytest.mark.parametrize("path", LISTS)
def test_no_list_and_no_search_shows_bob_anything_of_alices(town: Town, ids: dict[str, str], path: str) -> None:
    wanted = path.format(**ids, alice=town.alice.id)
    answer = town.bob.ask("GET", wanted)
    if answer.status_code == 404:  # a search within one task
        return
    found = answer.json()
    assert found["items"] == []
    assert not found.get("total")
    assert not any(value in answer.text for value in (*ids.values(), town.alice.id))
    assert town.alice.api("GET", wanted)["items"]


def test_a_viewer_looks_and_changes_nothing(viewer: Person) -> None:
    item = {"text": "hers"}
    proxy = {"type": "http", "ip": "127.0.0.1", "port": 1}
    for path, body in (
        ("/tasks", TASK),
        ("/tasks/batch", [TASK]),
        ("/accounts", {"username": "x"}),
        ("/accounts/import", {"text": "a"}),
        ("/proxies", proxy),
        ("/proxies/import", {"text": "a"}),
        ("/proxies/check", {"all": True}),
        ("/data", item),
        ("/data/batch", {"items": [item]}),
        ("/quarantine/replay", {"all": True}),
    ):
        assert viewer.ask("POST", path, json=body).status_code == 403, path
    for path in ("/tasks", "/accounts", "/proxies", "/data", "/quarantine", "/task-executions"):
        assert viewer.api("GET", path)["items"] == []


def test_facets_count_nothing_of_others(town: Town) -> None:
    hers = town.alice.api("GET", "/data/search?q=AI")
    his = town.bob.api("GET", "/data/search?q=AI")
    assert any(hers["facets"].values())
    assert not any(his["facets"].values())


def test_alice_still_has_everything_after_what_bob_tried(town: Town, ids: dict[str, str]) -> None:
    for path in ("/tasks/{task}", "/accounts/{account}", "/proxies/{proxy}", "/data/{item}", "/quarantine/{record}"):
        town.alice.api("GET", path.format(**ids))
    assert town.alice.api("GET", f"/accounts/{ids['account']}")["active"] is True
    assert town.alice.api("GET", f"/quarantine/{ids['record']}")["state"] == "open"


def test_nobody_makes_tasks_for_others_except_an_administrator(town: Town) -> None:
    body = {**TASK, "user_id": town.alice.id, "immediate": False}
    answer = town.bob.ask("POST", "/tasks", json=body)
    assert answer.status_code == 403
    batch = town.bob.ask("POST", "/tasks/batch", json=[body]).json()
    assert [line["status"] for line in batch["items"]] == [403]
    made = town.admin.api("POST", "/tasks", json=body)
    assert made["user_id"] == town.alice.id
    town.alice.api("DELETE", f"/tasks/{made['id']}")


@pytest.mark.parametrize("name", ["account", "proxy"])
def test_a_task_cannot_use_what_is_alices(town: Town, ids: dict[str, str], name: str) -> None:
    said = []
    for of in (ids, MISSING):
        answer = town.bob.ask("POST", "/tasks", json={**TASK, f"{name}_id": of[name], "immediate": False})
        assert answer.status_code == 422
        said.append(answer.text.replace(of[name], "…"))
        assert answer.json()["errors"][0]["field"] == f"{name}_id"
    assert said[0] == said[1]


def test_a_task_of_bobs_does_not_borrow_alices_account(town: Town) -> None:
    task = town.bob.api("POST", "/tasks", json=TASK)
    end = town.bob.settled(task["id"])
    assert end["status"] == "FAILED"
    assert "account" in end["error_message"]
    assert "collector" not in json.dumps(end)


def test_another_ones_cursor_opens_nothing(town: Town) -> None:
    cursor = town.alice.api("GET", f"/tasks/{town.owned['task']}/results?limit=2")["next_cursor"]
    answer = town.bob.ask("GET", "/data", params={"cursor": cursor})
    assert answer.status_code == 422 or answer.json()["items"] == []
    cursor = town.alice.api("GET", "/data/search?q=AI&size=1")["next_cursor"]
    answer = town.bob.ask("GET", "/data/search", params={"q": "AI", "cursor": cursor})
    assert answer.status_code == 422 or answer.json()["items"] == []


def test_a_repeated_key_of_alices_gives_bob_no_answer_of_hers(town: Town) -> None:
    body, headers = {**TASK, "immediate": False}, {"Idempotency-Key": "the-same-for-both"}
    hers = town.alice.api("POST", "/tasks", json=body, headers=headers)
    his = town.bob.api("POST", "/tasks", json=body, headers=headers)
    assert hers["id"] != his["id"]
    assert his["user_id"] == town.bob.id


def test_the_administrator_sees_everybodys_rows(town: Town, ids: dict[str, str]) -> None:
    for path in ("/tasks/{task}", "/accounts/{account}", "/proxies/{proxy}", "/data/{item}", "/quarantine/{record}"):
        town.admin.api("GET", path.format(**ids))
