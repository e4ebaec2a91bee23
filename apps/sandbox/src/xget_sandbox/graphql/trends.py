"""The Explore page's trends: the world's most used hashtags."""

from __future__ import annotations

from collections import Counter

from xget_sandbox.source import Json
from xget_sandbox.world import World


def trending(world: World) -> list[tuple[str, int]]:
    """The twenty hashtags used most, with how often."""
    used = Counter(mark.text for post in world.newest for mark in post.marks if mark.kind == "hashtag")
    return used.most_common(20)


def trends(world: World, *, shown: bool) -> Json:
    """One page of stories, best first; every tab shows the same world. Without them only the cursors."""
    number = 2079663803695366145
    module = f"stories-{number}"
    items = [_story(module, number + rank, tag, count) for rank, (tag, count) in enumerate(trending(world), 1)]
    stories = {
        "__typename": "TimelineTimelineModule",
        "clientEventInfo": {"component": "stories"},
        "displayType": "Vertical",
        "entryType": "TimelineTimelineModule",
        "items": items,
    }
    entries = [
        *([{"content": stories, "entryId": module, "sortIndex": str(number - 2)}] if shown else []),
        _cursor("Top", "DAAJAAA", number),
        _cursor("Bottom", "DAADCgABHNxzNf9___wPAAIKAAAAAAAA", number - 3),
    ]
    listed = [
        {"type": "TimelineClearCache"},
        {"direction": "Bottom", "type": "TimelineTerminateTimeline"},
        {"entries": entries, "type": "TimelineAddEntries"},
    ]
    return {"data": {"timeline": {"timeline": {"instructions": listed}}}}


def _story(module: str, number: int, tag: str, count: int) -> Json:
    address = {"url": f"twitter://trending/{number}", "urlType": "DeepLink"}
    social = {
        "contextType": "Facepile",
        "text": f"1 day ago · News · {count} posts",
        "type": "TimelineGeneralContext",
    }
    content = {
        "__typename": "TimelineTrend",
        "is_ai_trend": True,
        "itemType": "TimelineTrend",
        "name": f"#{tag}",
        "social_context": social,
        "trend_metadata": {"url": address},
        "trend_url": address,
    }
    item = {"clientEventInfo": {"component": "stories", "element": "ai_trend"}, "itemContent": content}
    return {"entryId": f"{module}-trend-{number}", "item": item}


def _cursor(direction: str, value: str, number: int) -> Json:
    content = {
        "__typename": "TimelineTimelineCursor",
        "cursorType": direction,
        "entryType": "TimelineTimelineCursor",
        "value": value,
    }
    return {"content": content, "entryId": f"cursor-{direction.lower()}-{number}", "sortIndex": str(number)}
