"""Recorded answers of X through the whole thread: what is stored against what twscrape's own parser makes of them."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from xget_contracts.items import Author, Item
from xget_testing.node import Node, running_node, running_sandbox
from xget_testing.x_truth import RECORDINGS, load, post_differences, theirs, user_differences

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("node"),
    pytest.mark.skipif(not RECORDINGS.exists(), reason="no recorded answers beside the repository (XGET_RECORDINGS)"),
]
MANIFEST = Path(__file__).parents[2] / "apps" / "sandbox" / "tests" / "data" / "recordings-manifest.json"
TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "SearchTimeline": ("KEYWORD_SEARCH", {"query": "recorded"}),
    "UserByScreenName": ("USER_INFO", {"username": "recorded"}),
    "UserTweets": ("USER_TWEETS", {"username": "recorded"}),
    "Followers": ("USER_FOLLOWERS", {"username": "recorded"}),
    "Following": ("USER_FOLLOWING", {"username": "recorded"}),
    "TweetDetail": ("TWEET_DETAIL", {"tweet_id": "1649191520250245121"}),
    "Retweeters": ("RETWEETERS", {"tweet_id": "1649191520250245121"}),
    "ListMembers": ("LIST_MEMBERS", {"list_id": "1494877848087187461"}),
    "GenericTimelineById": ("TRENDS", {"category": "trending"}),
}


def manifest() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(MANIFEST.read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("replay")
    for path in RECORDINGS.glob("*.json"):
        shutil.copy(path, folder)
    (folder / "manifest.json").write_text(MANIFEST.read_text("utf-8"))
    home = tmp_path_factory.mktemp("node")
    with (
        running_sandbox(folder / "sandbox", "--replay", str(folder)) as sandbox,
        running_node(home, sandbox) as running,
    ):
        yield running


def stored(node: Node, task_id: str) -> dict[str, Item]:
    return {found["key"]: msgspec.convert(found, Item) for found in node.results(task_id)}


def test_the_manifest_names_every_recording() -> None:
    assert {name for files in manifest().values() for name in files} == {
        path.name for path in RECORDINGS.glob("*.json")
    }
    assert set(manifest()) == set(TASKS)


@pytest.mark.parametrize("operation", sorted(TASKS))
def test_every_recorded_post_user_and_trend_is_stored_with_equal_values(node: Node, operation: str) -> None:
    task_type, parameters = TASKS[operation]
    task_id = node.create(task_type, parameters)
    task = node.wait_for(task_id)
    assert task["status"] == "COMPLETED", task["error_message"]
    items = stored(node, task_id)
    wrong: list[str] = []
    for name in manifest()[operation]:
        posts, users, trends = theirs(load(RECORDINGS / name))
        assert posts or users or trends
        missing = [post for post in posts if f"x:{post}" not in items]
        assert not missing, f"{name}: posts that twscrape yields and we do not: {missing}"
        wrong += [line for post, tweet in posts.items() for line in post_differences(tweet, items[f"x:{post}"])]
        authors = {user: node.api("GET", f"/data/authors/x:{user}") for user in users}
        wrong += [
            line
            for user, author in authors.items()
            for line in user_differences(users[user], msgspec.convert(author, Author))
        ]
        stored_trends = {item.text for item in items.values() if item.kind == "trend"}
        assert {trend.name for trend in trends.values()} <= stored_trends
    assert not wrong, "\n".join(wrong[:20])
    assert node.certificate(task_id)["counts"]["quarantined"] == 0
