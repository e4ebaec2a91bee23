"""Recorded answers of X through the whole thread: what is stored against what twscrape's own parser makes of them."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from xget_contracts.items import Author, Item
from xget_testing.node import Node, Sandbox, running_node, running_sandbox
from xget_testing.x_truth import RECORDINGS, load, post_differences, theirs, user_differences

pytestmark = [
    pytest.mark.slow,
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
def replaying(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("replay")
    for path in RECORDINGS.glob("*.json"):
        shutil.copy(path, folder)
    (folder / "manifest.json").write_text(MANIFEST.read_text("utf-8"))
    with running_sandbox(folder / "sandbox", "--replay", str(folder)) as sandbox:
        yield sandbox


@pytest.fixture
def node(tmp_path: Path, replaying: Sandbox):
    """A store of its own for each recording: they show the same authors at different times."""
    with running_node(tmp_path, replaying) as running:
        yield running


def stored(node: Node, task_id: str) -> dict[str, Item]:
    return {found["key"]: msgspec.convert(found, Item) for found in node.results(task_id)}


def focal_post(payload: Any) -> str:
    """The post that a TweetDetail answer is about: its first entry."""
    instructions = payload["data"]["threaded_conversation_with_injections_v2"]["instructions"]
    entries = next(i["entries"] for i in instructions if i["type"] == "TimelineAddEntries")
    return str(next(e["entryId"] for e in entries if e["entryId"].startswith("tweet-")).removeprefix("tweet-"))


def test_the_manifest_names_every_recording() -> None:
    assert {name for files in manifest().values() for name in files} == {
        path.name for path in RECORDINGS.glob("*.json")
    }
    assert set(manifest()) == set(TASKS)


def differences(node: Node, items: dict[str, Item], payload: Any) -> list[str]:
    """What differs between the store and what twscrape makes of the payload."""
    posts, users, trends = theirs(payload)
    assert posts or users or trends
    missing = [post for post in posts if f"x:{post}" not in items]
    assert not missing, f"posts that twscrape yields and we do not: {missing}"
    found = [line for post, tweet in posts.items() for line in post_differences(tweet, items[f"x:{post}"])]
    for user, profile in users.items():
        author = msgspec.convert(node.api("GET", f"/data/authors/x:{user}"), Author)
        found += user_differences(profile, author)
    assert {trend.name for trend in trends.values()} <= {item.text for item in items.values() if item.kind == "trend"}
    # where X says that it does not know the language, processing finds it out
    return [line for line in found if " lang: 'und' != " not in line]


@pytest.mark.parametrize(
    ("operation", "name"), [(operation, name) for operation, names in sorted(manifest().items()) for name in names]
)
def test_every_recorded_post_user_and_trend_is_stored_with_equal_values(node: Node, operation: str, name: str) -> None:
    task_type, parameters = TASKS[operation]
    payload = load(RECORDINGS / name)
    if operation == "TweetDetail":
        parameters = {"tweet_id": focal_post(payload)}
    task_id = node.create(task_type, parameters)
    task = node.wait_for(task_id)
    assert task["status"] == "COMPLETED", task["error_message"]
    assert node.certificate(task_id)["counts"]["quarantined"] == 0
    wrong = differences(node, stored(node, task_id), payload)
    assert not wrong, "\n".join(wrong[:20])
