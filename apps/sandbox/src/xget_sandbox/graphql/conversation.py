"""TweetDetail: a post with what it answers above it and the replies below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xget_sandbox.paging import Bend
from xget_sandbox.source import Json, following, missing
from xget_sandbox.wire.cursors import Cursor, decode, encode
from xget_sandbox.wire.posts import Renderer
from xget_sandbox.wire.timelines import ENTRY_BASE, module, tweet_item
from xget_sandbox.world import World
from xget_sandbox.world.model import Post

THREADS_PER_PAGE = 10


def conversation(world: World, renderer: Renderer, asked: Mapping[str, Any], bend: Bend) -> Json:
    """One page: first the ancestors and the post itself, then ten threads; more behind `ShowMoreThreads`."""
    text = str(asked.get("focalTweetId", ""))
    focal = world.posts.get(int(text) if text.isdecimal() else 0)
    if focal is None:
        return missing()
    listing = f"detail:{focal.id}"
    cursor = decode(listing, str(asked["cursor"]), "token") if asked.get("cursor") else Cursor()
    replies = sorted(world.replies_to.get(focal.id, []), key=lambda post: (-post.metrics.likes, post.id))
    bent = bend.at(listing, cursor, THREADS_PER_PAGE, len(replies))
    shown = [] if bent.empty or bent.ended else replies[cursor.offset : cursor.offset + THREADS_PER_PAGE]
    entries: list[tuple[str, Json]] = []
    if cursor == Cursor():
        above = [*_ancestors(world, focal), focal]
        entries += [(f"tweet-{post.id}", tweet_item(renderer.post(post.id), "tweet")) for post in above]
    entries += [_thread(world, renderer, reply) for reply in shown]
    after = following(cursor, len(shown), bent)
    bend.lead_to(listing, after)
    more = after.offset < len(replies) and not bent.ended
    base = ENTRY_BASE - cursor.offset * 100
    made = [
        {"content": content, "entryId": entry_id, "sortIndex": str(base - index)}
        for index, (entry_id, content) in enumerate(entries)
    ]
    made.append(_cursor(encode(listing, after, "token"), base - len(made), more=more))
    listed: list[Json] = [{"type": "TimelineClearCache"}] if cursor == Cursor() else []
    listed.append({"entries": made, "type": "TimelineAddEntries"})
    listed.append({"direction": "Top", "type": "TimelineTerminateTimeline"})
    metadata = {"scribeConfig": {"page": "ranked_replies"}}
    return {"data": {"threaded_conversation_with_injections_v2": {"instructions": listed, "metadata": metadata}}}


def _ancestors(world: World, post: Post) -> list[Post]:
    above: list[Post] = []
    while post.reply_to is not None:
        post = world.posts[post.reply_to]
        above.append(post)
    return above[::-1]


def _thread(world: World, renderer: Renderer, reply: Post) -> tuple[str, Json]:
    """A reply and the first answer to it."""
    posts = [reply, *world.replies_to.get(reply.id, [])[-1:]]
    items = [(f"tweet-{post.id}", tweet_item(renderer.post(post.id), "tweet")) for post in posts]
    entry_id = f"conversationthread-{reply.id}"
    return entry_id, module(entry_id, items, "tweet", "VerticalConversation")


def _cursor(value: str, sort_index: int, *, more: bool) -> Json:
    kind = "ShowMoreThreads" if more else "Bottom"
    item: Json = {
        "__typename": "TimelineTimelineCursor",
        "cursorType": kind,
        "itemType": "TimelineTimelineCursor",
        "value": value,
    }
    if more:
        item["displayTreatment"] = {"actionText": "Show more replies"}
        content: Json = {
            "__typename": "TimelineTimelineItem",
            "entryType": "TimelineTimelineItem",
            "itemContent": item,
        }
        return {"content": content, "entryId": f"cursor-showmorethreads-{sort_index}", "sortIndex": str(sort_index)}
    bottom = {"__typename": item["__typename"], "cursorType": kind, "entryType": item["itemType"], "value": value}
    return {"content": bottom, "entryId": f"cursor-bottom-{sort_index}", "sortIndex": str(sort_index)}
