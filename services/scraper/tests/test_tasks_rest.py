"""Tasks over HTTP, without a worker."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget_testing.tokens import TokenMaker

MUSK = {
    "task_name": "采集埃隆马斯克推文",
    "describe": "采集 @elonmusk 的最新推文",
    "task_type": "USER_TWEETS",
    "parameters": {"username": "elonmusk", "limit": 50, "include_replies": False, "include_retweets": False},
    "account_id": None,
    "proxy_id": None,
}
PATH = "/api/v1/tasks"


def bearer(tokens: TokenMaker, user: str, *roles: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.make(user, roles)}"}


async def post(client: httpx.AsyncClient, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    return await client.post(PATH, json=MUSK | fields, headers=headers)


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [(error["field"], error["rule"]) for error in answer.json()["errors"]]


async def test_the_documented_example_makes_a_queued_task(client: httpx.AsyncClient) -> None:
    answer = await post(client)
    task = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{PATH}/{task['id']}"
    assert {name: task[name] for name in MUSK} == MUSK
    assert (task["status"], task["priority"], task["platform"], task["user_id"]) == ("PENDING", 5, "x", "ada")
    runs = (await client.get(f"/api/v1/task-executions/task/{task['id']}")).json()
    assert [(run["id"], run["status"]) for run in runs["items"]] == [(task["execution_id"], "PENDING")]


async def test_an_alias_is_stored_under_its_own_name(client: httpx.AsyncClient) -> None:
    answer = await post(client, task_type="SEARCH", parameters={"query": "AI"})
    assert answer.json()["task_type"] == "KEYWORD_SEARCH"


async def test_lists_filter_sort_and_page(client: httpx.AsyncClient) -> None:
    for name, priority in (("b", 3), ("a", 9), ("c", 1)):
        await post(client, task_name=name, priority=priority)
    await post(client, task_type="SEARCH", parameters={"query": "AI"})
    listed = (await client.get(PATH, params={"task_type": "USER_TWEETS", "sort": "task_name", "size": 2})).json()
    assert [task["task_name"] for task in listed["items"]] == ["a", "b"]
    assert (listed["total"], listed["pages"]) == (3, 2)
    for query, count in (("status=PENDING", 4), ("priority=9", 1), ("user_id=ada", 4), ("platform=none", 0)):
        assert (await client.get(f"{PATH}?{query}")).json()["total"] == count


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"task_type": "NONSENSE"}, ("task_type", "unknown")),
        ({"platform": "y"}, ("platform", "unknown")),
        ({"parameters": {"username": "a", "colour": 1}}, ("parameters.colour", "extra_forbidden")),
        ({"parameters": {"username": "a", "limit": 0}}, ("parameters.limit", "greater_than_equal")),
        ({"parameters": {"username": "a", "limit": 10**9}}, ("parameters.limit", "less_than_equal")),
        ({"parameters": {"username": "a", "limit": "5"}}, ("parameters.limit", "int_type")),
        ({"task_name": ""}, ("task_name", "string_too_short")),
        ({"task_name": "a\u0000b"}, ("task_name", "no_control_characters")),
        ({"task_name": "a" * 201}, ("task_name", "string_too_long")),
        ({"priority": 11}, ("priority", "less_than_equal")),
        ({"colour": "red"}, ("colour", "extra_forbidden")),
    ],
)
async def test_bad_bodies_name_field_and_rule(
    client: httpx.AsyncClient, fields: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert fault in faults(await post(client, **fields))


async def test_a_name_of_2_mb_is_refused(client: httpx.AsyncClient) -> None:
    assert (await post(client, task_name="a" * 2_000_000)).status_code == 413


async def test_others_see_nothing_and_get_the_same_404(client: httpx.AsyncClient, tokens: TokenMaker) -> None:
    task = (await post(client)).json()
    bob = bearer(tokens, "bob", "analyst")
    missing = (await client.get(f"{PATH}/nothing", headers=bob)).json()["detail"]
    for method, path in (
        ("GET", f"{PATH}/{task['id']}"),
        ("GET", f"{PATH}/{task['id']}/status"),
        ("GET", f"{PATH}/{task['id']}/results"),
        ("GET", f"{PATH}/{task['id']}/events"),
        ("POST", f"{PATH}/{task['id']}/start"),
        ("POST", f"{PATH}/{task['id']}/stop"),
        ("DELETE", f"{PATH}/{task['id']}"),
        ("GET", f"/api/v1/task-executions/task/{task['id']}"),
    ):
        answer = await client.request(method, path, headers=bob)
        assert (answer.status_code, answer.json()["detail"]) == (404, missing), (method, path)
    for path in (f"{task['execution_id']}", f"{task['execution_id']}/certificate"):
        assert (await client.get(f"/api/v1/task-executions/{path}", headers=bob)).status_code == 404
    assert (await client.get(PATH, headers=bob)).json()["total"] == 0
    assert (await client.put(f"{PATH}/{task['id']}", json=MUSK, headers=bob)).status_code == 404
    admin = bearer(tokens, "root", "admin")
    assert (await client.get(f"{PATH}/{task['id']}", headers=admin)).status_code == 200


async def test_only_administrators_act_for_others(client: httpx.AsyncClient, tokens: TokenMaker) -> None:
    assert (await post(client, user_id="bob")).status_code == 403
    assert (await post(client, user_id="ada")).status_code == 201
    answer = await post(client, bearer(tokens, "root", "admin"), user_id="user123")
    assert answer.json()["user_id"] == "user123"


async def test_viewers_may_look_but_not_write(client: httpx.AsyncClient, tokens: TokenMaker) -> None:
    viewer = bearer(tokens, "ada", "viewer")
    task = (await post(client)).json()
    assert (await post(client, viewer)).status_code == 403
    assert (await client.post(f"{PATH}/{task['id']}/stop", headers=viewer)).status_code == 403
    assert (await client.get(f"{PATH}/{task['id']}", headers=viewer)).status_code == 200


async def test_without_a_token_it_is_401(client: httpx.AsyncClient) -> None:
    client.headers.pop("Authorization")
    assert (await client.get(PATH)).status_code == 401


async def test_a_queued_task_cannot_be_started_changed_or_deleted(client: httpx.AsyncClient) -> None:
    task = (await post(client)).json()
    path = f"{PATH}/{task['id']}"
    for answer in (
        await client.post(f"{path}/start"),
        await client.put(path, json=MUSK),
        await client.delete(path),
    ):
        assert answer.status_code == 409
        assert f"POST {path}/stop" in answer.json()["detail"]
    assert (await client.post(f"{path}/stop")).json()["status"] == "STOPPED"
    again = await client.post(f"{path}/stop")
    assert (again.status_code, again.json()["type"]) == (409, "urn:xget:error:task_not_running")
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404
    assert (await client.get("/api/v1/task-executions")).json()["total"] == 0


async def test_put_changes_what_the_next_start_does(client: httpx.AsyncClient) -> None:
    created = await post(client, immediate=False)
    path = f"{PATH}/{created.json()['id']}"
    changed = MUSK | {"task_type": "USER_INFO", "parameters": {"username": "jack"}}
    stale = await client.put(path, json=changed, headers={"If-Match": '"stale"'})
    assert stale.status_code == 412
    answer = await client.put(path, json=changed, headers={"If-Match": created.headers["ETag"]})
    assert (answer.json()["task_type"], answer.json()["parameters"]) == ("USER_INFO", {"username": "jack"})
    assert answer.headers["ETag"] != created.headers["ETag"]
    moved = await client.put(path, json=changed | {"user_id": "bob"})
    assert faults(moved) == [("user_id", "immutable")]


async def test_an_idempotency_key_makes_one_task(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "once"}
    first, second = await post(client, key), await post(client, key)
    assert first.json()["id"] == second.json()["id"]
    assert (await client.get(PATH)).json()["total"] == 1
    assert (await post(client, key, task_name="other")).status_code == 422


async def test_a_batch_answers_each_element(client: httpx.AsyncClient) -> None:
    batch = [MUSK, MUSK | {"task_type": "NONSENSE"}, {"task_name": "x"}, MUSK | {"user_id": "bob"}]
    answer = await client.post(f"{PATH}/batch", json=batch)
    body = answer.json()
    assert answer.status_code == 207
    assert [item["status"] for item in body["items"]] == [201, 422, 422, 403]
    assert (body["created"], body["refused"]) == (1, 3)
    assert body["items"][2]["problem"]["errors"][0]["field"] == "task_type"
    assert (await client.get(PATH)).json()["total"] == 1
    assert (await client.post(f"{PATH}/batch", json=[MUSK] * 101)).status_code == 422


async def test_the_document_has_a_body_for_each_type(client: httpx.AsyncClient, app: FastAPI) -> None:
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    assert schemas["TaskWrite"]["discriminator"]["mapping"]["FOLLOWERS"] == (
        "#/components/schemas/TaskWrite_USER_FOLLOWERS"
    )
    assert schemas["TaskWrite_USER_TWEETS"]["properties"]["task_type"]["enum"] == ["USER_TWEETS"]
    assert "include_retweets" in schemas["Parameters_USER_TWEETS"]["properties"]
