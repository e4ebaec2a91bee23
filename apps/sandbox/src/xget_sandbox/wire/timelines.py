"""Putting entries and cursors together into the answers of the timeline operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from xget_sandbox.wire.cursors import Cursor, Style, encode

Json = dict[str, Any]

ENTRY_BASE = 2085474410189291520
CONTROLLER = "DAACDAAFDAABDAABDAABCgABAAAAAEAAAAAAAAwAAgoAAQAAAAAAAAABCgACnaRDN4oMZRMAAA=="
GRID = "profile-grid-0"
SEARCH_GRID = "search-grid-0"
Shape = Literal["search", "timeline", "users"]


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a listing: `entries` are (entryId, content) pairs; `size` is the whole listing's length."""

    listing: str
    style: Style
    cursor: Cursor
    entries: Sequence[tuple[str, Json]]
    after: Cursor
    size: int
    pinned: tuple[str, Json] | None = None

    @property
    def ended(self) -> bool:
        """Nothing comes after this page."""
        return self.after.offset >= self.size

    def cursor_entry(self, direction: Literal["Top", "Bottom"], entry_id: str) -> Json:
        """One of the two cursor entries, without its sort index."""
        at = self.after if direction == "Bottom" else self.cursor
        value = encode(self.listing, at, self.style, direction, end=self.ended)
        content = {
            "__typename": "TimelineTimelineCursor",
            "cursorType": direction,
            "entryType": "TimelineTimelineCursor",
            "value": value,
        }
        return {"content": content, "entryId": entry_id}


def tweet_item(post: object, component: str, *, highlights: bool = False, social: Json | None = None) -> Json:
    """The content of an entry that shows one post; `post` is rendered JSON."""
    item: Json = {
        "__typename": "TimelineTweet",
        "itemType": "TimelineTweet",
        "tweetDisplayType": "Tweet",
        "tweet_results": {"result": post},
    }
    if highlights:
        item["highlights"] = {"textHighlights": []}
    if social:
        item["socialContext"] = social
    details = {} if social else {"details": {"timelinesDetails": {"controllerData": CONTROLLER}}}
    return {
        "__typename": "TimelineTimelineItem",
        "clientEventInfo": {"component": component, **details, "element": "tweet"},
        "entryType": "TimelineTimelineItem",
        "itemContent": item,
    }


def user_item(user: object, component: str | None) -> Json:
    """The content of an entry that shows one user."""
    content: Json = {
        "__typename": "TimelineTimelineItem",
        "entryType": "TimelineTimelineItem",
        "itemContent": {
            "__typename": "TimelineUser",
            "itemType": "TimelineUser",
            "userDisplayType": "User",
            "user_results": {"result": user},
        },
    }
    if component:
        content["clientEventInfo"] = {"component": component, "element": "user"}
    return content


def module(prefix: str, items: Sequence[tuple[str, Json]], component: str, display: str) -> Json:
    """An entry of several items; `items` are (item entryId suffix, item content)."""
    return {
        "__typename": "TimelineTimelineModule",
        "clientEventInfo": {"component": component},
        "displayType": display,
        "entryType": "TimelineTimelineModule",
        "items": [
            {
                "entryId": f"{prefix}-{suffix}",
                "item": {
                    "clientEventInfo": content.get("clientEventInfo", {"component": component}),
                    "itemContent": content["itemContent"],
                },
            }
            for suffix, content in items
        ],
    }


def cursor_item(kind: str, value: str) -> Json:
    """A cursor that is an item of its own: a button."""
    name = "TimelineTimelineCursor"
    return {"__typename": name, "cursorType": kind, "itemType": name, "value": value}


def instructions(page: Page, shape: Shape) -> list[Json]:
    """The page in X's words. Search repeats its cursors' places; the others send cursors as entries."""
    if shape == "search":
        return _search(page)
    base = ENTRY_BASE - page.cursor.offset * 100
    made = [_entry(entry_id, content, base - index) for index, (entry_id, content) in enumerate(page.entries)]
    low = base - len(made)
    bottom = page.cursor_entry("Bottom", f"cursor-bottom-{low}") | {"sortIndex": str(low)}
    top = page.cursor_entry("Top", f"cursor-top-{base + 1}") | {"sortIndex": str(base + 1)}
    ends = [bottom, top] if shape == "users" else [top, bottom]
    listed: list[Json] = []
    if page.cursor.offset == 0:
        listed.append({"type": "TimelineClearCache"})
    if shape == "users":
        listed.append({"direction": "Top", "type": "TimelineTerminateTimeline"})
    if shape == "users" and page.ended:
        listed.append({"direction": "Bottom", "type": "TimelineTerminateTimeline"})
    if page.pinned is not None:
        entry = _entry(page.pinned[0], page.pinned[1], base + 2)
        listed.append({"entry": entry, "type": "TimelinePinEntry"})
    listed.append({"entries": made + ends, "type": "TimelineAddEntries"})
    return listed


def grid(page: Page) -> list[Json]:
    """A page of the Media tab: one module, to which later pages add items without listing an entry."""
    base = ENTRY_BASE - page.cursor.offset * 100
    items = _tiles(page, GRID, "profile-media")
    top = page.cursor_entry("Top", f"cursor-top-{base + 1}") | {"sortIndex": str(base + 1)}
    bottom = page.cursor_entry("Bottom", f"cursor-bottom-{base - 1}") | {"sortIndex": str(base - 1)}
    listed: list[Json] = []
    entries: list[Json] = []
    if page.cursor == Cursor():
        listed.append({"type": "TimelineClearCache"})
        entries += [_entry(GRID, items, base)] if page.entries else []
    elif page.entries:
        listed.append(_added(GRID, items))
    listed.append({"direction": "Top", "type": "TimelineTerminateTimeline"})
    listed.append({"entries": [*entries, top, bottom], "type": "TimelineAddEntries"})
    return listed


def search_grid(page: Page) -> list[Json]:
    """A page of a search's Media tab: one module, to which later pages add items."""
    tiles = _tiles(page, SEARCH_GRID, "search")
    first = page.cursor == Cursor()
    made = [_entry(SEARCH_GRID, tiles, ENTRY_BASE)] if first and page.entries else []
    added = [_added(SEARCH_GRID, tiles)] if page.entries and not first else []
    return [*added, *_with_cursors(page, made)]


def _tiles(page: Page, grid_id: str, component: str) -> Json:
    tiles = module(grid_id, page.entries, component, "VerticalGrid")
    for tile in tiles["items"]:
        tile["item"]["itemContent"]["tweetDisplayType"] = "MediaGrid"
    return tiles


def _added(grid_id: str, tiles: Json) -> Json:
    return {"moduleEntryId": grid_id, "moduleItems": tiles["items"], "prepend": False, "type": "TimelineAddToModule"}


def _search(page: Page) -> list[Json]:
    base = ENTRY_BASE - page.cursor.offset
    made = [_entry(entry_id, content, base - index) for index, (entry_id, content) in enumerate(page.entries)]
    return _with_cursors(page, made)


def _with_cursors(page: Page, made: list[Json]) -> list[Json]:
    """A search's first page adds its cursors, each later one replaces them."""
    top = page.cursor_entry("Top", "cursor-top-9223372036854775807") | {"sortIndex": "9223372036854775807"}
    bottom = page.cursor_entry("Bottom", "cursor-bottom-0") | {"sortIndex": "0"}
    if page.cursor == Cursor():
        return [{"entries": [*made, top, bottom], "type": "TimelineAddEntries"}]
    listed: list[Json] = [{"entries": made, "type": "TimelineAddEntries"}] if made else []
    for entry in (top, bottom):
        listed.append({"entry": entry, "entry_id_to_replace": entry["entryId"], "type": "TimelineReplaceEntry"})
    return listed


def _entry(entry_id: str, content: Json, sort_index: int) -> Json:
    return {"content": content, "entryId": entry_id, "sortIndex": str(sort_index)}
