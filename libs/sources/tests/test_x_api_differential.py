"""The same posts by both wires of one world give the same items, apart from what API v2 does not carry."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from xget_contracts.items import Author, Item
from xget_sandbox.api_v2.selecting import Selection
from xget_sandbox.wire.posts import Renderer
from xget_sandbox.world import World, build_world
from xget_sources.ports import Parsed
from xget_sources.x.parser import parse_payload as parse_web
from xget_sources.x_api.client.calls import Call
from xget_sources.x_api.parser import parse_payload as parse_api

NOT_CARRIED = {
    "source_app",
    "source_url",
}
"""Fields of a post that API v2 has no word for."""
EXTRAS_NOT_CARRIED = frozenset(
    {"display_range", "has_community_note", "community_note", "community_note_id", "article", "limited_actions"}
    | {"withheld_scope"}
)
AUTHORS_NOT_CARRIED = {"verified"}


def by_web(world: World) -> Parsed:
    renderer = Renderer(world)
    posts = [renderer.render(post) for post in world.posts.values()]
    return parse_web(orjson.loads(orjson.dumps({"data": posts})), [])


def by_api(world: World) -> Parsed:
    call = Call(operation="o", path="p", kind="posts", units=1)
    selection = Selection(world, call.parameters)
    data = [selection.tweet(post) for post in world.posts.values()]
    return parse_api(orjson.loads(orjson.dumps(selection.body(data))), [])


def plain(one: Item | Author) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(one)
    return found


def without(item: dict[str, Any]) -> dict[str, Any]:
    """What both wires say."""
    kept = {name: value for name, value in item.items() if name not in NOT_CARRIED}
    extra = {name: value for name, value in kept.pop("extra", {}).items() if name not in EXTRAS_NOT_CARRIED}
    extra["edit"] = {name: extra.get("edit", {}).get(name) for name in ("ids", "remaining")}
    if "community" in extra:
        extra["community"] = extra["community"]["id"]
    card = kept.pop("card", None)
    if card and card["type"] == "poll":
        kept["card"] = {name: card.get(name) for name in ("options", "finished", "ends_at", "duration_minutes", "name")}
    for media in kept.get("media", []):
        media.pop("warnings", None)
    return kept | {"extra": extra}


def test_every_post_of_the_world_is_the_same_item_by_either_wire() -> None:
    world = build_world(7, 600, rich=True)
    web, api = by_web(world), by_api(world)
    mine = {item.key: without(plain(item)) for item in api.items}
    theirs = {item.key: without(plain(item)) for item in web.items if item.kind == "post"}
    assert len(theirs) > 600
    assert set(mine) == set(theirs)
    differing = [
        (key, name, theirs[key].get(name), mine[key].get(name))
        for key in theirs
        for name in {*theirs[key], *mine[key]}
        if theirs[key].get(name) != mine[key].get(name)
    ]
    assert differing == []
    assert api.rejected == web.rejected == []


def test_every_author_is_the_same_by_either_wire() -> None:
    world = build_world(7, 600, rich=True)
    web, api = by_web(world), by_api(world)
    theirs = {author.key: plain(author) for author in web.authors}
    for author in api.authors:
        mine = plain(author)
        unsaid = AUTHORS_NOT_CARRIED | ({"blue"} if author.blue is None else set())
        for name in {*mine, *theirs[author.key]} - unsaid - {"extra"}:
            mine["metrics"].pop("listed", None)  # the web's wire does not say
            assert mine.get(name) == theirs[author.key].get(name), (author.key, name)
    assert set(theirs) == {author.key for author in api.authors}
