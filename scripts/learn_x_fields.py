"""Write the baseline that drift is measured against: the fields of X that this version of the parser was written for.

    .venv/bin/python scripts/learn_x_fields.py [--fresh] PAYLOAD.json…

Payloads are bodies as X sent them; pages of the sandbox are added. Known fields stay known, with the types that they
have been seen with; `--fresh` forgets them first. Usual are the fields that every payload of this run has that has a
record of their shape at all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from xget_sandbox.graphql.world_source import WorldSource
from xget_sandbox.source import Untouched
from xget_sandbox.world import build_world
from xget_sources.x.parser import drift

FILE = Path(drift.__file__).with_name("fields.json")
SEED, POSTS = 7, 600
VARIED = ("card", "list", "tombstone", "visibility")
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
    types = {
        shape: {path: "|".join(sorted(kinds)) for path, kinds in sorted(paths.items())}
        for shape, paths in sorted(known.items())
    }
    text = orjson.dumps({"types": types, "usual": usual}, option=orjson.OPT_INDENT_2).decode()
    FILE.write_text(text + "\n")
    count = sum(map(len, types.values()))
    print(f"{FILE.name}: {count} fields of {len(types)} shapes, {sum(map(len, usual.values()))} of them usual")
    return 0


def learn(payloads: list[Any], known: Types) -> dict[str, list[str]]:
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


def sandbox_pages() -> Iterator[Any]:
    """A page of each kind that the sandbox makes."""
    world = build_world(SEED, POSTS)
    source = WorldSource(world)
    asked: list[tuple[str, dict[str, Any]]] = [
        ("GenericTimelineById", {"timelineId": "trending"}),
        ("ListMembers", {"listId": "1"}),
        ("ListLatestTweetsTimeline", {"listId": "1"}),
    ]
    for post in world.newest:
        asked += [("TweetDetail", {"focalTweetId": str(post.id)}), ("Retweeters", {"tweetId": str(post.id)})]
    for product in ("Latest", "Top", "People"):
        asked.append(("SearchTimeline", {"rawQuery": "AI include:nativeretweets", "product": product}))
    for user in world.authors:
        for name in ("UserByRestId", "UserTweets", "UserTweetsAndReplies", "UserMedia", "Followers", "Following"):
            asked.append((name, {"userId": str(user)}))
    for operation, variables in asked:
        if body := source.answer(operation, variables, Untouched()):
            yield orjson.loads(body)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
