"""What the recordings of X prove: they are replayed byte for byte, and the world has their shapes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from twscrape import gather

from xget_sandbox.errors import SandboxError
from xget_sandbox.graphql.world_source import WorldSource
from xget_sandbox.replay import load_recordings
from xget_sandbox.source import Untouched
from xget_sandbox.world import build_world

REPOSITORY = Path(__file__).parents[3]
RECORDINGS = Path(os.environ.get("XGET_RECORDINGS") or REPOSITORY.parent / "shared" / "recordings")
MANIFEST = Path(__file__).parent / "data" / "recordings-manifest.json"

# Parts of X's format that do not occur on the recorded pages.
UNRECORDED = (
    "Tweet.legacy.entities.symbols",
    "Tweet.note_tweet.note_tweet_results.result.entity_set.hashtags",
    "Tweet.note_tweet.note_tweet_results.result.entity_set.symbols",
)


@pytest.fixture
def recordings() -> Path:
    """The recorded answers of X: XGET_RECORDINGS, or beside the repository."""
    folder = RECORDINGS / "x" if (RECORDINGS / "x").is_dir() else RECORDINGS
    if not (folder / "raw_search.json").is_file():
        pytest.skip(f"no recordings of X in {folder}: set XGET_RECORDINGS to their folder")
    return folder


@pytest.fixture
def replay_folder(recordings: Path, tmp_path: Path) -> Path:
    """A folder for --replay: the recordings and their manifest."""
    folder = shutil.copytree(recordings, tmp_path / "replay", copy_function=shutil.copyfile)
    shutil.copyfile(MANIFEST, folder / "manifest.json")
    return folder


def shapes(node: Any, path: str = "") -> Iterator[str]:
    """Paths of keys, with list positions left out and quoted or reposted posts and users taken as of their own."""
    if isinstance(node, list):
        for value in node:
            yield from shapes(value, path)
    elif isinstance(node, dict):
        kind = node.get("__typename")
        base = str(kind) if kind in ("Tweet", "User") else path
        for key, value in node.items():
            yield f"{base}.{key}"
            yield from shapes(value, f"{base}.{key}")
    else:
        yield f"{path}:{type(node).__name__}"


def recorded(folder: Path) -> set[str]:
    return {shape for path in folder.glob("*.json") for shape in shapes(orjson.loads(path.read_bytes()))}


def test_no_field_is_of_our_own_invention(recordings):
    known = recorded(recordings)
    source = WorldSource(build_world(7, 1000))
    star = {"userId": "44196397"}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("SearchTimeline", {"rawQuery": "climate OR AI", "product": "Latest"}),
        ("UserTweets", star),
        ("Followers", star),
        ("Following", star),
        ("UserByScreenName", {"screen_name": "elonmusk"}),
        ("GenericTimelineById", {}),
        ("ListMembers", {"listId": "1001"}),
        ("Retweeters", {"tweetId": str(next(iter(source.world.reposters)))}),
        ("TweetDetail", {"focalTweetId": str(next(iter(source.world.replies_to)))}),
    ]
    for operation, variables in asked:
        made = set(shapes(orjson.loads(source.answer(operation, variables, Untouched()) or b"{}")))
        new = {shape for shape in made - known if not shape.startswith(UNRECORDED)}
        assert new == set(), operation


async def test_recordings_are_served_byte_for_byte(start, gql, replay_folder):
    sandbox = await start(replay=replay_folder)
    manifest = json.loads((replay_folder / "manifest.json").read_bytes())
    for operation, names in manifest.items():
        answer = await gql(sandbox, operation)
        assert answer.status_code == 200
        assert answer.content == (replay_folder / names[0]).read_bytes()


async def test_twscrape_reads_a_replayed_search_to_its_end(start, make_api, replay_folder, ask):
    sandbox = await start(replay=replay_folder)
    tweets = await gather(make_api(sandbox).search("tesla"))
    assert len(tweets) == 25
    assert "recorded" in (await ask(sandbox, "truth", task_type="KEYWORD_SEARCH", query="x"))["error"]


async def test_after_the_last_page_comes_one_with_cursors_alone(start, make_api, gql, replay_folder):
    sandbox = await start(replay=replay_folder)
    users = await gather(make_api(sandbox).followers(1))
    assert len(users) == 69
    for operation in ("SearchTimeline", "UserTweets", "Followers", "TweetDetail", "Retweeters", "ListMembers"):
        last = (await gql(sandbox, operation, cursor="any")).text
        assert "Bottom" in last or "ShowMoreThreads" in last
        assert '"tweet_results"' not in last
        assert '"user_results"' not in last


async def test_detail_is_served_for_the_post_asked_for(start, make_api, replay_folder):
    sandbox = await start(replay=replay_folder)
    tweet = await make_api(sandbox).tweet_details(1780666831310877100)
    assert tweet is not None
    assert tweet.card is not None


async def test_without_a_profile_the_owner_of_the_timeline_is_made_up(start, make_api, recordings, tmp_path):
    (tmp_path / "tweets.json").write_bytes((recordings / "raw_user_tweets.json").read_bytes())
    (tmp_path / "manifest.json").write_text('{"UserTweets": ["tweets.json"]}')
    api = make_api(await start(replay=tmp_path))
    owner = await api.user_by_login("XDevelopers")
    other = await api.user_by_login("somebody")
    assert owner is not None
    assert other is not None
    assert owner.id == other.id == 2244994945
    assert (owner.username, other.username) == ("XDevelopers", "somebody")
    assert await gather(api.user_tweets(owner.id))
    assert await gather(api.search("anything")) == []


async def test_pages_follow_each_other_by_cursor(start, gql, tmp_path):
    def page(name: str, cursor: str) -> bytes:
        entry = {"entryId": "cursor-bottom-0", "content": {"cursorType": "Bottom", "value": cursor}}
        body = {"instructions": [{"type": "TimelineAddEntries", "entries": [{"entryId": f"tweet-{name}"}, entry]}]}
        return json.dumps({"data": body}, indent=3).encode()

    pages = {"one.json": page("1", "to-two"), "two.json": page("2", "to-end")}
    for name, body in pages.items():
        (tmp_path / name).write_bytes(body)
    (tmp_path / "manifest.json").write_text('{"SearchTimeline": ["one.json", "two.json"]}')
    sandbox = await start(replay=tmp_path)
    assert (await gql(sandbox, "SearchTimeline")).content == pages["one.json"]
    assert (await gql(sandbox, "SearchTimeline", cursor="to-two")).content == pages["two.json"]
    end = (await gql(sandbox, "SearchTimeline", cursor="to-end")).json()
    assert [entry["entryId"] for entry in end["data"]["instructions"][0]["entries"]] == ["cursor-bottom-0"]
    assert (await gql(sandbox, "SearchTimeline")).content == pages["one.json"]


@pytest.mark.parametrize(
    ("manifest", "word"),
    [
        (None, "cannot be read"),
        ("{", "not JSON"),
        ("[]", "must map"),
        ("{}", "must map"),
        ('{"Nope": ["a.json"]}', "unknown operation 'Nope'"),
        ('{"SearchTimeline": []}', "list of file names"),
        ('{"SearchTimeline": "a.json"}', "list of file names"),
        ('{"SearchTimeline": ["missing.json"]}', "missing.json cannot be read"),
        ('{"SearchTimeline": ["broken.json"]}', "broken.json is not JSON"),
        ('{"SearchTimeline": ["list.json"]}', "no answer of X"),
    ],
)
def test_a_bad_manifest_is_named(tmp_path, manifest, word):
    (tmp_path / "broken.json").write_text("{,")
    (tmp_path / "list.json").write_text("[]")
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(SandboxError, match=word):
        load_recordings(tmp_path)
