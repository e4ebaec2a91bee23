"""Ours against twscrape's own parser on recorded answers of X: nothing dropped, nothing different."""

from __future__ import annotations

from pathlib import Path

import pytest

from xget_sources.x.parser import parse_payload
from xget_testing.x_truth import load, post_differences, recordings, theirs, user_differences

pytestmark = pytest.mark.skipif(not recordings(), reason="no recordings beside the repository: set XGET_RECORDINGS")


@pytest.mark.parametrize("path", recordings(), ids=lambda path: path.stem)
def test_posts_of_a_recording_are_what_twscrape_makes_of_them(path: Path) -> None:
    payload = load(path)
    tweets, _, _ = theirs(payload)
    ours = {item.native_id: item for item in parse_payload(payload, ()).items if item.kind == "post"}
    assert tweets.keys() <= ours.keys()
    assert [line for native_id, tweet in tweets.items() for line in post_differences(tweet, ours[native_id])] == []


@pytest.mark.parametrize("path", recordings(), ids=lambda path: path.stem)
def test_users_of_a_recording_are_what_twscrape_makes_of_them(path: Path) -> None:
    payload = load(path)
    _, users, _ = theirs(payload)
    ours = {author.id: author for author in parse_payload(payload, ()).authors}
    assert users.keys() <= ours.keys()
    assert [line for native_id, user in users.items() for line in user_differences(user, ours[native_id])] == []


@pytest.mark.parametrize("path", recordings(), ids=lambda path: path.stem)
def test_trends_of_a_recording_are_what_twscrape_makes_of_them(path: Path) -> None:
    payload = load(path)
    _, _, trends = theirs(payload)
    ours = {item.text: item for item in parse_payload(payload, ()).items if item.kind == "trend"}
    assert {t.name: (t.rank, t.trend_url.url) for t in trends.values()} == {
        name: (item.extra.get("rank"), item.extra.get("deep_link")) for name, item in ours.items()
    }


@pytest.mark.parametrize("path", recordings(), ids=lambda path: path.stem)
def test_no_record_of_a_recording_is_rejected(path: Path) -> None:
    assert parse_payload(load(path), ()).rejected == []
