"""Write the baseline that drift is measured against: the fields of X that this version of the parser was written for.

    .venv/bin/python scripts/learn_x_fields.py [--fresh] PAYLOAD.json…

Payloads are bodies as X sent them; pages of the sandbox are added. Known fields stay known, with the types that they
have been seen with; `--fresh` forgets them first. Usual are the fields that every payload of this run has that has a
record of their shape at all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from xget_sandbox.graphql.world_source import WorldSource
from xget_sandbox.source import Untouched
from xget_sandbox.world import World, build_world
from xget_sources.x.parser import drift
from xget_sources.x.parser.timeline import read_timeline

FILE = Path(drift.__file__).with_name("fields.json")
SEED, POSTS = 7, 600
OF_POSTS = ("TweetDetail", "Retweeters")
OF_LISTS = ("ListMembers", "ListLatestTweetsTimeline")
OF_COMMUNITIES = (
    *("CommunityQuery", "CommunityTweetsTimeline"),
    *("membersSliceTimeline_Query", "moderatorsSliceTimeline_Query"),
)
OF_USERS = (
    *("UserByRestId", "UserByScreenName", "AboutAccountQuery", "UserTweets", "UserTweetsAndReplies", "UserMedia"),
    *("Followers", "Following", "BlueVerifiedFollowers", "UserCreatorSubscriptions"),
)
VARIED = ("card", "community", "list", "tombstone", "trend", "visibility")
"""Shapes whose fields differ from kind to kind: none of them is usual."""
Types = dict[str, dict[str, set[str]]]


def main(arguments: list[str]) -> int:
    """Learn from the files named."""
    known: Types = {}
    if "--fresh" not in arguments:
        for shape, paths in drift.baseline().types.items():
            known[shape] = {path: set(filter(None, kinds.split("|"))) for path, kinds in paths.items()}
    payloads = [orjson.loads(Path(name).read_bytes()) for name in arguments if name != "--fresh"]
    usual = learn([*payloads, *sandbox_pages()], known)
    learn(sandbox_pages(following=True), known)
    types = {
        shape: {path: "|".join(sorted(kinds)) for path, kinds in sorted(paths.items())}
        for shape, paths in sorted(known.items())
    }
    text = orjson.dumps({"types": types, "usual": usual}, option=orjson.OPT_INDENT_2).decode()
    FILE.write_text(text + "\n")
    count = sum(map(len, types.values()))
    print(f"{FILE.name}: {count} fields of {len(types)} shapes, {sum(map(len, usual.values()))} of them usual")
    return 0


def learn(payloads: Iterable[Any], known: Types) -> dict[str, list[str]]:
    """Add what the payloads have to `known`; the answer is what all of them have, by shape."""
    usual: dict[str, set[str]] = {}
    for payload in payloads:
        here: dict[str, set[str]] = {}
        for shape, path, kind in drift.walk_fields(payload):
            here.setdefault(shape, set()).add(path)
            known.setdefault(shape, {}).setdefault(path, set()).update({kind} - {""})
        for shape, paths in here.items():
            usual[shape] = usual.get(shape, paths) & paths
    return {shape: sorted(usual[shape]) for shape in sorted(usual) if shape not in VARIED}


def sandbox_pages(*, following: bool = False) -> Iterator[Any]:
    """A page of each kind that the sandbox makes, of all its people, lists and communities, plain and rich.

    `following` are the pages after these, which may have nothing but cursors.
    """
    for rich in (False, True):
        world = build_world(SEED, POSTS, rich=rich)
        source = WorldSource(world)
        for operation, variables in asked_of(world):
            if body := source.answer(operation, variables, Untouched()):
                page = orjson.loads(body)
                if not following:
                    yield page
                elif (cursor := read_timeline(page).cursor) and (
                    body := source.answer(operation, {**variables, "cursor": cursor}, Untouched())
                ):
                    yield orjson.loads(body)


def asked_of(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """Operations and what they are asked for."""
    yield "GenericTimelineById", {"timelineId": "trending"}
    yield "Bookmarks", {}
    for product in ("Latest", "Top", "People", "Media"):
        yield "SearchTimeline", {"rawQuery": "AI include:nativeretweets", "product": product}
    for post in world.newest:
        yield from ((name, {"focalTweetId": str(post.id), "tweetId": str(post.id)}) for name in OF_POSTS)
    for number in world.lists:
        yield from ((name, {"listId": str(number)}) for name in OF_LISTS)
    for number in world.communities:
        yield from ((name, {"communityId": str(number)}) for name in OF_COMMUNITIES)
    for number, author in world.authors.items():
        named = {"userId": str(number), "screen_name": author.handle, "screenName": author.handle}
        yield from ((name, named) for name in OF_USERS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
