"""Every task type through the gateway, from the wish to what is stored, against the sandbox's truth."""

import json
from typing import Any

import pytest

from xget_testing.node import Node, Sandbox, running_node, running_sandbox

pytestmark = pytest.mark.slow
COMMUNITY, BACK_ROOM = "1501272736215322629", "1601841656147345410"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory):
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--scenario", "calm") as running:
        yield running


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox):
    with running_node(tmp_path_factory.mktemp("node"), sandbox) as running:
        yield running


def told_of(sandbox: Sandbox) -> dict[str, dict[str, str]]:
    """Something of the world for each kind of subject."""
    posts: dict[str, Any] = sandbox.truth(task_type="USER_TWEETS", username="elonmusk", full="1")["posts"]
    quoting = sandbox.truth(task_type="KEYWORD_SEARCH", query="filter:quote", full="1")["posts"]
    asked = max(posts, key=lambda post: posts[post]["replies"])
    thread = sandbox.truth(task_type="KEYWORD_SEARCH", query='"1/13 A thread"')["matches"][0]
    return {
        "username": {"username": "elonmusk"},
        "list_id": {"list_id": "1001"},
        "community_id": {"community_id": COMMUNITY},
        "tweet_id": {"tweet_id": asked},
        "thread": {"tweet_id": thread},
        "quoted": {"tweet_id": next(one["quoted"] for one in quoting.values() if one["quoted"])},
    }


NEW = (
    ("USER_ABOUT", "username"),
    ("USER_REPLIES", "username"),
    ("USER_MEDIA", "username"),
    ("VERIFIED_FOLLOWERS", "username"),
    ("SUBSCRIPTIONS", "username"),
    ("TWEET_DETAIL", "tweet_id"),
    ("TWEET_REPLIES", "tweet_id"),
    ("TWEET_THREAD", "thread"),
    ("QUOTES", "quoted"),
    ("LIST_TIMELINE", "list_id"),
    ("LIST_MEMBERS", "list_id"),
    ("COMMUNITY_INFO", "community_id"),
    ("COMMUNITY_TWEETS", "community_id"),
    ("COMMUNITY_MEMBERS", "community_id"),
    ("COMMUNITY_MODERATORS", "community_id"),
    ("BOOKMARKS", ""),
)


@pytest.fixture(scope="module")
def subjects(sandbox: Sandbox) -> dict[str, dict[str, str]]:
    return told_of(sandbox)


@pytest.mark.parametrize(("task_type", "about"), NEW)
def test_what_is_stored_is_what_exists(
    node: Node, sandbox: Sandbox, subjects: dict[str, dict[str, str]], task_type: str, about: str
) -> None:
    own = {"account_id": node.api("GET", "/accounts")["items"][0]["id"]} if task_type == "BOOKMARKS" else {}
    wish = subjects.get(about, {})
    task_id = node.create(task_type, wish, **own)
    task = node.wait_for(task_id, seconds=120)
    assert task["status"] == "COMPLETED", task["error_message"]
    truth = sandbox.truth(task_type=task_type, **wish)["matches"]
    stored = [one["native_id"] for one in node.results(task_id) if one["role"] == "match"]
    assert sorted(stored) == sorted(map(str, truth))
    assert stored
    assert node.certificate(task_id)["complete"] is True


@pytest.mark.parametrize(
    ("task_type", "wish"),
    [
        ("USER_SEARCH", {"query": "elon"}),
        ("KEYWORD_SEARCH", {"query": "from:elonmusk", "product": "Media"}),
    ],
)
def test_what_x_chooses_to_show_is_stored_and_not_called_complete(
    node: Node, sandbox: Sandbox, task_type: str, wish: dict[str, Any]
) -> None:
    task_id = node.create(task_type, wish)
    assert node.wait_for(task_id, seconds=120)["status"] == "COMPLETED"
    truth = sandbox.truth(task_type=task_type, **wish)["matches"]
    stored = [one["native_id"] for one in node.results(task_id) if one["role"] == "match"]
    assert sorted(stored) == sorted(map(str, truth))
    assert stored
    certificate = node.certificate(task_id)
    assert (certificate["complete"], certificate["end_reason"]) == (False, "ranking_ended")


def test_a_task_of_several_users_ends_each_in_its_own_way(node: Node, sandbox: Sandbox) -> None:
    names = ["elonmusk", "suspended_acct", "nobody_here", "protected_acct", "ElonMusk"]
    task_id = node.create("USER_TWEETS", {"usernames": names, "limit_per_target": 30})
    node.wait_for(task_id)
    stored = [one for one in node.results(task_id) if one["role"] == "match"]
    assert len(stored) == 30
    assert node.certificate(task_id)["complete"] is False
    told = json.dumps(node.certificate(task_id))
    for reason in ("suspended", "not_found", "protected"):
        assert reason in told


def test_a_preview_costs_nothing_and_counts_the_accounts(node: Node, sandbox: Sandbox) -> None:
    asked, tasks = len(sandbox.log()["requests"]), node.api("GET", "/tasks")["total"]
    wish = {"task_type": "KEYWORD_SEARCH", "parameters": {"any_words": ["AI", "人工智能"], "limit": 200}}
    seen = node.api("POST", "/tasks/preview", json=wish)
    assert seen["asks"] == ["(AI OR 人工智能)"]
    assert (seen["estimate"]["requests"], seen["estimate"]["accounts"]) == (10, 1)
    assert len(sandbox.log()["requests"]) == asked
    node.wait_for(node.create("KEYWORD_SEARCH", {"query": "AI", "limit": 20}))
    again = node.api("POST", "/tasks/preview", json=wish)
    assert again["estimate"]["seconds"] is not None, again
    assert node.api("GET", "/tasks")["total"] == tasks + 1


def test_what_nobody_may_see_is_said(node: Node) -> None:
    task = node.wait_for(node.create("COMMUNITY_TWEETS", {"community_id": BACK_ROOM}))
    assert task["status"] == "FAILED"
    assert "community" in task["error_message"]


def test_a_wish_that_cannot_be_is_refused_before_the_run(node: Node) -> None:
    for parameters, says in (
        ({"query": '"AI'}, "character 1"),
        ({"query": "AI", "since": "2999-01-01"}, "future"),
        ({"queries": ["AI"] * 10_001}, "10000"),
    ):
        body = {"task_name": "t", "task_type": "KEYWORD_SEARCH", "parameters": parameters}
        answer = node.http.post("/api/v1/tasks", json=body)
        assert answer.status_code == 422
        assert says in answer.json()["errors"][0]["message"]
