"""X's official API through the gateway: what is stored is what exists, by what it cost, and beside a session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from xget_testing.node import Node, Sandbox, running_node, running_sandbox

pytestmark = pytest.mark.slow
WORLD = (
    "world: {seed: 7, posts: 600}\nlimits: {scale: 100, operations: "
    "{SearchTimeline: 3, UserTweets: 1, Followers: 1, ListLatestTweetsTimeline: 1}}\n"
)
WISHES = {
    "USER_INFO": {"username": "elonmusk"},
    "USER_TWEETS": {"username": "elonmusk"},
    "USER_FOLLOWERS": {"username": "elonmusk"},
    "USER_FOLLOWING": {"username": "elonmusk"},
    "HASHTAG_SEARCH": {"hashtag": "AI"},
    "LIST_TIMELINE": {"list_id": "1001"},
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    (folder / "small.yaml").write_text(WORLD)
    with running_sandbox(folder, "--scenario", str(folder / "small.yaml")) as running:
        yield running


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator[Node]:
    with running_node(tmp_path_factory.mktemp("node"), sandbox) as running:
        yield running


@pytest.fixture(scope="module")
def account(node: Node) -> str:
    made = node.api("POST", "/accounts", json={"username": "app", "platform": "x_api"})["id"]
    body = {"bearer_token": "app", "monthly_budget_usd": "50", "full_archive": True}
    node.api("PUT", f"/accounts/{made}/api", json=body)
    return str(made)


def matches(node: Node, task_id: str) -> list[str]:
    return sorted(item["native_id"] for item in node.results(task_id) if item["role"] == "match")


def test_types_of_the_api_store_what_exists(node: Node, sandbox: Sandbox, account: str) -> None:
    begun = {name: node.create(name, wish, routes=["x_api"]) for name, wish in WISHES.items()}
    for name, task_id in begun.items():
        task = node.wait_for(task_id)
        assert task["status"] == "COMPLETED", task["error_message"]
        truth = sandbox.truth(task_type=name, **WISHES[name])
        assert matches(node, task_id) == sorted(map(str, truth["matches"])), name
        assert node.certificate(task_id)["routes"] == ["x_api"]
    money: dict[str, Any] = node.api("GET", f"/accounts/{account}/api")
    assert 0 < float(money["spent_usd"]) < 50
    assert money["results"] > 0


def test_a_preview_counts_the_posts_of_a_search(node: Node, sandbox: Sandbox, account: str) -> None:
    wish = {"query": "climate", "since": "2026-06-01"}
    body = {"task_type": "KEYWORD_SEARCH", "parameters": wish, "routes": ["x_session", "x_api"]}
    before = node.api("GET", f"/accounts/{account}/api")["spent_usd"]
    told = node.api("POST", "/tasks/preview", json=body)["expected"]
    posts = len(sandbox.truth(task_type="KEYWORD_SEARCH", **wish)["matches"])
    assert (told["posts"], told["at_least"], told["pages"]) == (posts, False, -(-posts // 100))
    assert float(told["cost_usd"]) == pytest.approx(posts * 0.005)
    assert node.api("GET", f"/accounts/{account}/api")["spent_usd"] == before
    few = node.api("POST", "/tasks/preview", json={**body, "parameters": {**wish, "limit": 3}})["expected"]
    assert (few["posts"], few["pages"]) == (3, 1)
    node.api("PUT", f"/accounts/{account}", json={"active": False})
    none = node.api("POST", "/tasks/preview", json=body)
    node.api("PUT", f"/accounts/{account}", json={"active": True})
    assert none["expected"]["posts"] is None
    assert "could not be counted" in none["expected"]["sentence"]
    assert none["estimate"]["sentence"]
    assert node.api("POST", "/tasks/preview", json={**body, "routes": None})["expected"] is None


def test_a_session_that_rests_hands_over_to_the_api(node: Node, sandbox: Sandbox, account: str) -> None:
    wish = {"query": "climate", "since": "2026-06-01"}
    task_id = node.create("KEYWORD_SEARCH", wish, routes=["x_session", "x_api"])
    assert node.wait_for(task_id)["status"] == "COMPLETED"
    truth = sandbox.truth(task_type="KEYWORD_SEARCH", **wish)
    assert matches(node, task_id) == sorted(map(str, truth["matches"]))
    certificate = node.certificate(task_id)
    assert certificate["complete"] is True
    assert [use["route"] for use in certificate["by_route"]] == ["x_api", "x_session"]
    assert (certificate["failovers"][0]["from"], certificate["failovers"][0]["to"]) == ("x_session", "x_api")


def test_types_about_one_post_or_list_store_the_same_by_either_route(
    node: Node, sandbox: Sandbox, account: str
) -> None:
    named: dict[str, str] = {}
    for name, field in (("HASHTAG_SEARCH", "quoted_id"), ("USER_TWEETS", "reposted_id")):
        task_id = node.create(name, WISHES[name], routes=["x_api"])
        node.wait_for(task_id)
        named[field] = next(item[field] for item in node.results(task_id) if item[field])
    wishes = {
        "TWEET_DETAIL": {"tweet_id": named["quoted_id"]},
        "QUOTES": {"tweet_id": named["quoted_id"]},
        "RETWEETERS": {"tweet_id": named["reposted_id"]},
        "LIST_MEMBERS": {"list_id": "1001"},
    }
    begun = {
        (name, route): node.create(name, wish, routes=[route])
        for name, wish in wishes.items()
        for route in ("x_api", "x_session")[: 1 if name == "QUOTES" else 2]  # the session's searches are used up
    }
    stored = {}
    for (name, route), each in begun.items():
        assert node.wait_for(each)["status"] == "COMPLETED", (name, route)
        stored[name, route] = matches(node, each)
        assert node.certificate(each)["routes"] == [route]
    for (name, _), found in stored.items():
        truth = sandbox.truth(task_type=name, **wishes[name])
        assert found == sorted(map(str, truth["matches"])) == stored[name, "x_api"] != [], name


def test_timelines_followers_and_lists_go_on_by_the_api_after_a_whole_page(
    node: Node, sandbox: Sandbox, account: str
) -> None:
    wishes = {name: WISHES[name] for name in ("USER_TWEETS", "USER_FOLLOWERS", "LIST_TIMELINE")}
    begun = {name: node.create(name, wish, routes=["x_session", "x_api"]) for name, wish in wishes.items()}
    for name, task_id in begun.items():
        assert node.wait_for(task_id)["status"] == "COMPLETED", name
        truth = sandbox.truth(task_type=name, **wishes[name])
        assert matches(node, task_id) == sorted(map(str, truth["matches"])), name
        certificate = node.certificate(task_id)
        assert [use["route"] for use in certificate["by_route"]] == ["x_api", "x_session"], name
        assert [(one["from"], one["to"]) for one in certificate["failovers"]] == [("x_session", "x_api")], name
        assert {item["source"] for item in node.results(task_id)} <= {"x_api", "x_session"}


def test_what_the_api_does_not_show_beside_its_data_is_kept_and_said(
    node: Node, sandbox: Sandbox, account: str
) -> None:
    task_id = node.create("HASHTAG_SEARCH", WISHES["HASHTAG_SEARCH"], routes=["x_api"])
    node.wait_for(task_id)
    quoted = next(item["quoted_id"] for item in node.results(task_id) if item["quoted_id"])
    assert sandbox.change(delete=[quoted])["delete"] == 1
    again = node.create("HASHTAG_SEARCH", WISHES["HASHTAG_SEARCH"], routes=["x_api"])
    assert node.wait_for(again)["status"] == "COMPLETED"
    gone = next(item for item in node.results(again) if item["native_id"] == quoted)
    assert (gone["gone"], gone["gone_text"].startswith("Could not find tweet")) == ("deleted", True)


def test_money_and_the_projects_month_stop_a_run_in_its_middle_and_say_so(
    node: Node, sandbox: Sandbox, account: str
) -> None:
    wish = {"query": "climate", "since": "2026-06-01"}
    there = len(sandbox.truth(task_type="KEYWORD_SEARCH", **wish)["matches"])
    put = node.api("GET", f"/accounts/{account}/api")
    spent, read = float(put["spent_usd"]), put["results"]
    node.api("PUT", f"/accounts/{account}/api", json={"monthly_budget_usd": f"{spent + 0.5:.6f}"})
    assert there > 100
    ends = {}
    for stopped in ("money", "month"):
        if stopped == "month":
            node.api("PUT", f"/accounts/{account}/api", json={"monthly_budget_usd": "50"})
            sandbox.api(cap=1)
        task_id = node.create("KEYWORD_SEARCH", wish, routes=["x_api"])
        task = node.wait_for(task_id)
        certificate = node.certificate(task_id)
        assert (task["status"], certificate["end_reason"], certificate["complete"]) == (
            "FAILED", "rate_limited_out", False
        ), stopped  # fmt: skip
        ends[stopped] = (len(matches(node, task_id)), task["error_message"])
    assert [count for count, _ in ends.values()] == [100, 0]
    assert "may spend this month what the next page may cost" in ends["money"][1]
    assert node.api("GET", f"/accounts/{account}/api")["results"] == read + 100
    month: dict[str, Any] = node.api("GET", "/accounts/budget")["money"]
    assert (float(month["held"]), float(month["uncertain"])) == (0, 0)
    assert float(month["spent"]) == pytest.approx(spent + 0.5)
