"""Every task type through the gateway, from the wish to what is stored, value by value against the sandbox's truth."""

import json
from collections import Counter
from typing import Any

import pytest

from xget_sources.x.tasks import TASK_TYPES
from xget_testing.node import Node, Sandbox, running_node, running_sandbox
from xget_testing.sandbox_facts import community_differences, post_differences, user_differences

pytestmark = pytest.mark.slow
COMMUNITY, BACK_ROOM = "1501272736215322629", "1601841656147345410"
WORLD = "world: {seed: 7, posts: 600, rich: true}\nlimits: {scale: 100}\n"
ABOUT = {
    "USER_SEARCH": {"query": "climate"},
    "KEYWORD_SEARCH": {"query": "quantum OR football OR 足球"},
    "HASHTAG_SEARCH": {"hashtag": "AI"},
    "TWEET_DETAIL": "asked",
    "TWEET_REPLIES": "asked",
    "TWEET_THREAD": "thread",
    "QUOTES": "quoted",
    "RETWEETERS": "reposted",
    "LIST_TIMELINE": {"list_id": "1001"},
    "LIST_MEMBERS": {"list_id": "1001"},
    "TRENDS": {},
    "BOOKMARKS": {},
}
"""What each task type is asked for, or which post of the world; the others are asked about a user or a community."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("sandbox")
    (folder / "small.yaml").write_text(WORLD)
    with running_sandbox(folder, "--scenario", str(folder / "small.yaml")) as running:
        yield running


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox):
    with running_node(tmp_path_factory.mktemp("node"), sandbox) as running:
        yield running


def posts_of_note(sandbox: Sandbox) -> dict[str, str]:
    """A post that was answered, one that begins a thread, one that was quoted and one that was reposted."""
    query = "(lang:en OR lang:zh) include:nativeretweets"
    posts: dict[str, Any] = sandbox.truth(task_type="KEYWORD_SEARCH", query=query, full="1")["posts"]

    def most(relation: str) -> str:
        return str(Counter(one[relation] for one in posts.values() if one[relation]).most_common(1)[0][0])

    thread = sandbox.truth(task_type="KEYWORD_SEARCH", query='"1/13 A thread"')["matches"][0]
    return {"asked": most("reply_to"), "quoted": most("quoted"), "reposted": most("reposted"), "thread": thread}


@pytest.fixture(scope="module")
def wishes(node: Node, sandbox: Sandbox) -> dict[str, tuple[str, dict[str, str]]]:
    """A task of every type, all begun at once: its id and its parameters."""
    posts, account = posts_of_note(sandbox), node.api("GET", "/accounts")["items"][0]["id"]
    begun = {}
    for name in TASK_TYPES:
        about: Any = ABOUT.get(name) if name in ABOUT else None
        if about is None:
            about = {"community_id": COMMUNITY} if name.startswith("COMMUNITY") else {"username": "elonmusk"}
        wish = {"tweet_id": posts[about]} if isinstance(about, str) else about
        own = {"account_id": account} if name == "BOOKMARKS" else {}
        begun[name] = (node.create(name, wish, **own), wish)
    return begun


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_what_is_stored_is_what_exists(
    node: Node, sandbox: Sandbox, wishes: dict[str, tuple[str, dict[str, str]]], task_type: str
) -> None:
    task_id, wish = wishes[task_type]
    task = node.wait_for(task_id, seconds=600)
    assert task["status"] == "COMPLETED", task["error_message"]
    truth = sandbox.truth(task_type=task_type, full="1", **wish)
    items = node.results(task_id)
    matches = [one for one in items if one["role"] == "match"]
    stored = [one["text" if task_type == "TRENDS" else "native_id"] for one in matches]
    assert stored
    assert sorted(stored) == sorted(map(str, truth["matches"]))
    assert differences(items, truth) == []
    assert node.certificate(task_id)["complete"] is (task_type != "USER_SEARCH"), "what X chooses is never complete"


def differences(items: list[dict[str, Any]], truth: dict[str, Any]) -> list[str]:
    """Stored values that are not those of the truth, of the matches and of what came along with them."""
    found: list[str] = []
    for item in items:
        if facts := truth.get("posts", {}).get(item["native_id"]):
            found += post_differences(item, facts)
        elif facts := truth.get("users", {}).get(item["native_id"]):
            found += user_differences(item, facts)
        elif truth.get("community") and item["kind"] == "community":
            found += community_differences(item, truth["community"])
    return found


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
    assert node.wait_for(task_id)["status"] == "COMPLETED"
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
