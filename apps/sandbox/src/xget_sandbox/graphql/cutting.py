"""Cutting a listing into pages and its rows into entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

from xget_sandbox.listings import Listings
from xget_sandbox.paging import Bend
from xget_sandbox.source import Json, following
from xget_sandbox.wire.cursors import Cursor, Style, decode
from xget_sandbox.wire.posts import Renderer
from xget_sandbox.wire.timelines import Page, Shape, instructions, tweet_item, user_item
from xget_sandbox.wire.tombstones import tombstone_entry
from xget_sandbox.wire.users import unavailable
from xget_sandbox.world import World
from xget_sandbox.world.model import Author, Post

POSTS_PER_PAGE = 20
USERS_PER_PAGE = 50
WITH_ADS = ("search:", "tweets:", "listposts:")

Asked = Mapping[str, Any]
Entry = tuple[str, Json]
Handler = Callable[[Asked, Bend], Json]


class Cutter:
    """What all timelines share."""

    def __init__(self, world: World, listings: Listings, renderer: Renderer) -> None:
        self.world = world
        self.listings = listings
        self.renderer = renderer

    def slice(
        self, rows: Sequence[Any], listing: str, asked: Asked, bend: Bend, *, style: Style = "token",
        count: int = POSTS_PER_PAGE,
    ) -> tuple[Cursor, Sequence[Any], Cursor, int]:  # fmt: skip
        """Where the page begins, its rows, where the next one begins, and how long the listing seems to be."""
        text = asked.get("cursor")
        cursor = decode(listing, str(text), style) if text else Cursor()
        bent = bend.at(listing, cursor, count, len(rows))
        shown = [] if bent.empty or bent.ended else rows[cursor.offset : cursor.offset + count]
        after = following(cursor, len(shown), bent)
        bend.lead_to(listing, after)
        return cursor, shown, after, cursor.offset if bent.ended else len(rows)

    def cut(
        self, rows: Sequence[Any], listing: str, asked: Asked, bend: Bend, entry: Callable[[Any], Entry], *,
        style: Style = "token", count: int = POSTS_PER_PAGE,
    ) -> Page:  # fmt: skip
        """One page of entries."""
        cursor, shown, after, size = self.slice(rows, listing, asked, bend, style=style, count=count)
        entries = [entry(row) for row in self._present(shown)]
        if self.world.rich and entries and listing.startswith(WITH_ADS) and isinstance(rows[0], Post):
            entries.insert(3, self.promoted(f"{listing}:{cursor.offset}"))
        return Page(listing, style, cursor, entries, after, size)

    def _present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows as they are now; posts that are gone leave no entry, and the places of the others do not move."""
        if not self.world.life.changes:
            return rows
        now = [self.world.shown(row) if isinstance(row, Post) else row for row in rows]
        return [row for row in now if row is not None]

    def promoted(self, place: str) -> Entry:
        """An advertisement: some post that has nothing to do with the listing."""
        newest, start = self.world.newest, crc32(place.encode())
        ads = (newest[(start + step) % len(newest)] for step in range(len(newest)))
        post = next((one for one in ads if one.kind == "post" and self.world.shown(one)), newest[0])
        name, content = self.post(post, "suggest_promoted")
        advertiser = {"result": self.renderer.user(post.author_id)}
        content["itemContent"]["promotedMetadata"] = {
            "advertiser_results": advertiser, "disclosureType": "NoDisclosure", "impressionId": f"{start:016x}",
        }  # fmt: skip
        return f"promoted-{name}-{start:x}", content

    def post(self, post: Post, component: str = "tweet", *, highlights: bool = False) -> Entry:
        """A post as an entry."""
        return f"tweet-{post.id}", tweet_item(self.renderer.post(post.id), component, highlights=highlights)

    def user(self, author_id: int, component: str | None) -> Entry:
        """A user as an entry."""
        if self.world.authors[author_id].standing in ("suspended", "removed"):
            return f"user-{author_id}", user_item(unavailable("Suspended"), component)
        return f"user-{author_id}", user_item(self.renderer.user(author_id), component)

    def stand_in(self, post: Post) -> Entry:
        """A post of a conversation, or what X shows in its place."""
        why = self.world.life.missing(post, self.world.authors)
        if why is None:
            return self.post(self.world.life.edited.get(post.id, post))
        return tombstone_entry(post.id, why, self.world.authors[post.author_id].handle)

    def users(
        self, rows: Sequence[int], listing: str, asked: Asked, bend: Bend, component: str | None, *,
        style: Style = "pair",
    ) -> Json:  # fmt: skip
        """A timeline of users."""
        page = self.cut(
            rows, listing, asked, bend, lambda row: self.user(row, component), style=style, count=USERS_PER_PAGE
        )
        shape: Shape = "users" if style == "pair" else "timeline"
        return {"instructions": instructions(page, shape)}

    def owned(self, asked: Asked, timeline: Callable[[Author], Json]) -> Json:
        """A timeline that belongs to the user asked for, or what X says when it may not be seen."""
        author = self.world.authors.get(number(asked.get("userId")))
        if author is None or author.standing == "removed":
            return {"data": {"user": {}}}
        if author.standing == "suspended":
            return {"data": {"user": {"result": unavailable("Suspended")}}}
        body = {} if author.standing == "protected" else {"timeline": timeline(author)}
        return {"data": {"user": {"result": {"__typename": "User", "timeline": body}}}}


def number(value: object) -> int:
    """An id of the request; 0 for anything else."""
    text = str(value)
    return int(text) if text.isdecimal() else 0
