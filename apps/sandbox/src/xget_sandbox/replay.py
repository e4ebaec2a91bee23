"""Serving recorded answers instead of the world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from xget_sandbox.errors import SandboxError
from xget_sandbox.source import Json, Tampering, missing

OPERATIONS = frozenset(
    {
        "SearchTimeline", "UserByScreenName", "UserByRestId", "UserTweets", "UserTweetsAndReplies", "UserMedia",
        "Followers", "Following", "BlueVerifiedFollowers", "UserCreatorSubscriptions", "TweetDetail", "Retweeters",
        "ListMembers", "ListLatestTweetsTimeline", "GenericTimelineById", "Bookmarks", "AboutAccountQuery",
        "CommunityQuery", "CommunityTweetsTimeline", "membersSliceTimeline_Query", "moderatorsSliceTimeline_Query",
    }
)  # fmt: skip
SINGLES = {"UserByScreenName": "screen_name", "UserByRestId": "userId", "TweetDetail": "focalTweetId"}
OWNED = ("UserTweets", "UserTweetsAndReplies", "UserMedia")
CARRIERS = ("TimelinePinEntry", "TimelineAddToModule")
ANY_ID = "2244994945"


class Recording:
    """One file: its bytes as they are, and what is needed to page on from it."""

    def __init__(self, body: bytes, document: Json) -> None:
        self.body = body
        self.document = document
        self.cursors = {node["value"] for node in _nodes(document) if _leads_on(node)}

    def without_entries(self) -> bytes:
        """The same answer with nothing but its cursors."""
        return orjson.dumps(_stripped(self.document))


class Recordings:
    """Recorded pages by operation, in page order. After the last one comes a page with its cursors and no entries."""

    def __init__(self, pages: Mapping[str, list[Recording]]) -> None:
        self.pages = pages

    def answer(self, operation: str, variables: Mapping[str, Any], tampering: Tampering) -> bytes | None:
        """See Source: bytes as recorded; an operation without recordings is X's 'not found'."""
        pages = self.pages.get(operation)
        if pages is None:
            if operation in ("UserByScreenName", "UserByRestId"):
                return orjson.dumps(self._owner(variables))
            return orjson.dumps(missing())
        page = self._page(operation, pages, variables)
        if page is None or tampering.empty or tampering.ended:
            return (page or pages[-1]).without_entries()
        return page.body

    def _page(self, operation: str, pages: list[Recording], variables: Mapping[str, Any]) -> Recording | None:
        cursor = variables.get("cursor")
        if cursor:
            follower = next((place + 1 for place, page in enumerate(pages) if cursor in page.cursors), len(pages))
            return pages[follower] if follower < len(pages) else None
        wanted = str(variables.get(SINGLES.get(operation, ""), "")).lower().encode()
        if wanted and len(pages) > 1:
            return next((page for page in pages if b'"%s"' % wanted in page.body.lower()), pages[0])
        return pages[0]

    def _owner(self, variables: Mapping[str, Any]) -> Json:
        """Whom the recorded timelines belong to, under the name that was asked for."""
        owner = self._recorded_owner()
        identifier = str(owner["rest_id"]) if owner else ANY_ID
        name = str(variables.get("screen_name") or "")
        core = owner.get("core") if owner else None
        known = core.get("screen_name", "") if isinstance(core, dict) else ""
        if owner and (not name or known.lower() == name.lower()):
            return {"data": {"user": {"result": owner}}}
        made = {
            "__typename": "User",
            "avatar": {"image_url": "https://pbs.twimg.com/profile_images/1/replayed_normal.jpg"},
            "core": {"created_at": "Sat Dec 14 04:35:55 +0000 2013", "name": name or "Replayed", "screen_name": name},
            "id": identifier,
            "is_blue_verified": False,
            "location": {"location": ""},
            "privacy": {"protected": False},
            "profile_bio": {"description": ""},
            "relationship_counts": {"followers": 0, "following": 0},
            "rest_id": identifier,
            "tweet_counts": {"media_tweets": 0, "tweets": 0},
            "verification": {"verified": False},
        }
        return {"data": {"user": {"result": made}}}

    def _recorded_owner(self) -> Json | None:
        for operation in OWNED:
            authors: dict[str, Json] = {}
            seen: Counter[str] = Counter()
            for page in self.pages.get(operation, []):
                for node in _nodes(page.document):
                    result = _author_of(node)
                    if result is not None:
                        authors.setdefault(str(result["rest_id"]), result)
                        seen[str(result["rest_id"])] += 1
            if seen:
                return authors[seen.most_common(1)[0][0]]
        return None


def _author_of(node: Json) -> Json | None:
    if node.get("__typename") != "Tweet":
        return None
    core = node.get("core") or {}
    result = (core.get("user_results") or {}).get("result")
    return result if isinstance(result, dict) and result.get("rest_id") else None


def load_recordings(folder: Path) -> Recordings:
    """Read DIR/manifest.json and every file it names. Raises SandboxError with the file and the fix."""
    manifest = _read(folder / "manifest.json")
    if not isinstance(manifest, dict) or not manifest:
        raise SandboxError(f"{folder / 'manifest.json'} must map operations to lists of files.")
    pages: dict[str, list[Recording]] = {}
    for operation, names in manifest.items():
        if operation not in OPERATIONS:
            raise SandboxError(f"{folder / 'manifest.json'} names an unknown operation {operation!r}.")
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise SandboxError(f"{folder / 'manifest.json'}: {operation} must have a list of file names.")
        pages[operation] = [_recording(folder / name) for name in names]
    return Recordings(pages)


def _recording(path: Path) -> Recording:
    document = _read(path)
    if not isinstance(document, dict):
        raise SandboxError(f"{path} is not a JSON object, so it is no answer of X.")
    return Recording(path.read_bytes(), document)


def _read(path: Path) -> object:
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise SandboxError(f"{path} cannot be read: {error.strerror}.") from error
    except orjson.JSONDecodeError as error:
        raise SandboxError(f"{path} is not JSON: {error}.") from error


def _nodes(node: object) -> Iterator[Json]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _leads_on(node: Json) -> bool:
    return node.get("cursorType") in ("Bottom", "ShowMoreThreads") and isinstance(node.get("value"), str)


def _stripped(node: object) -> object:
    """A copy whose instructions keep cursors only."""
    if isinstance(node, list):
        return [_stripped(value) for value in node]
    if not isinstance(node, dict):
        return node
    copy: Json = {}
    for key, value in node.items():
        if key == "instructions" and isinstance(value, list):
            copy[key] = [_kept(one) for one in value if one.get("type") not in CARRIERS]
        else:
            copy[key] = _stripped(value)
    return copy


def _kept(instruction: Json) -> Json:
    if "entries" not in instruction:
        return instruction
    entries = [entry for entry in instruction["entries"] if str(entry.get("entryId", "")).startswith("cursor-")]
    return {**instruction, "entries": entries}
