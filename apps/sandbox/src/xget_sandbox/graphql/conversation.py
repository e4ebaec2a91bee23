"""TweetDetail: a post with what it answers above it and the replies below, each with the tree of answers to it."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from xget_sandbox.graphql.cutting import Asked, Cutter, Entry, number
from xget_sandbox.paging import Bend
from xget_sandbox.source import Json, missing
from xget_sandbox.wire.cursors import Cursor, encode, fingerprint
from xget_sandbox.wire.timelines import ENTRY_BASE, cursor_item, module
from xget_sandbox.world.model import Post

THREADS_PER_PAGE = 10
POSTS_PER_THREAD = 2


class Conversations:
    """One operation, three kinds of pages: the first, more threads (`ShowMoreThreads`), more of a thread (`ShowMore`).

    Who comes from a profile (`referrer`) is led on by `Bottom` cursors instead of `ShowMoreThreads`, as on X.
    """

    def __init__(self, cutter: Cutter) -> None:
        self.cutter = cutter
        self.world = cutter.world

    def answer(self, asked: Asked, bend: Bend) -> Json:
        """The page that the request asks for."""
        focal = self.world.posts.get(number(asked.get("focalTweetId")))
        why = self.world.life.missing(focal, self.world.authors) if focal else "deleted"
        if focal is None or why == "deleted":
            return missing()
        replies = [] if why else self.world.answers(focal.id)
        if asked.get("cursor"):
            wanted = fingerprint(str(asked["cursor"]))
            for reply in replies:
                if crc32(_branch(focal, reply).encode()) == wanted:
                    return self._more(focal, reply, asked, bend)
        return self._page(focal, replies, asked, bend)

    def _page(self, focal: Post, replies: list[Post], asked: Asked, bend: Bend) -> Json:
        listing = f"detail:{focal.id}"
        cursor, shown, after, size = self.cutter.slice(replies, listing, asked, bend, count=THREADS_PER_PAGE)
        entries: list[Entry] = []
        if cursor == Cursor():
            entries += [self.cutter.stand_in(post) for post in (*self.world.ancestors(focal), focal)]
        entries += [self._thread(focal, reply) for reply in shown if self._stands(reply)]
        if self.world.rich and shown:
            name, ad = self.cutter.promoted(f"{listing}:{cursor.offset}")
            thread = f"conversationthread-{name.split('-')[2]}"
            entries.append((thread, module(thread, [(f"{name}-promoted", ad)], "tweet", "VerticalConversation")))
        base = ENTRY_BASE - cursor.offset * 100
        made = [
            {"content": content, "entryId": entry_id, "sortIndex": str(base - index)}
            for index, (entry_id, content) in enumerate(entries)
        ]
        button = after.offset < size and asked.get("referrer") != "profile"
        made.append(_cursor(encode(listing, after, "token"), base - len(made), button=button))
        listed: list[Json] = [{"type": "TimelineClearCache"}] if cursor == Cursor() else []
        listed.append({"entries": made, "type": "TimelineAddEntries"})
        listed.append({"direction": "Top", "type": "TimelineTerminateTimeline"})
        return _wrapped(listed)

    def _thread(self, focal: Post, reply: Post) -> Entry:
        """A reply and the answers below it, as many as a thread shows; the rest is behind its own cursor."""
        below = [reply, *self.world.conversation(reply)]
        entry_id = f"conversationthread-{reply.id}"
        made = module(entry_id, self._items(below[:POSTS_PER_THREAD]), "tweet", "VerticalConversation")
        if len(below) > POSTS_PER_THREAD:
            value = encode(_branch(focal, reply), Cursor(POSTS_PER_THREAD), "token")
            made["items"].append(_show_more(entry_id, value, len(below)))
        return entry_id, made

    def _more(self, focal: Post, reply: Post, asked: Asked, bend: Bend) -> Json:
        below = [reply, *self.world.conversation(reply)]
        listing = _branch(focal, reply)
        _, shown, after, size = self.cutter.slice(below, listing, asked, bend, count=POSTS_PER_THREAD)
        entry_id = f"conversationthread-{reply.id}"
        items = module(entry_id, self._items(shown), "tweet", "VerticalConversation")["items"]
        if after.offset < size:
            items.append(_show_more(entry_id, encode(listing, after, "token"), size))
        added = {"moduleEntryId": entry_id, "moduleItems": items, "prepend": False, "type": "TimelineAddToModule"}
        return _wrapped([added])

    def _items(self, posts: Sequence[Post]) -> list[Entry]:
        return [self.cutter.stand_in(post) for post in posts if self._stands(post)]

    def _stands(self, post: Post) -> bool:
        """A deleted post leaves a stand-in only where somebody answered it."""
        return self.world.life.gone.get(post.id) != "deleted" or bool(self.world.replies_to.get(post.id))


def _branch(focal: Post, reply: Post) -> str:
    return f"branch:{focal.id}:{reply.id}"


def _wrapped(listed: list[Json]) -> Json:
    metadata = {"scribeConfig": {"page": "ranked_replies"}}
    return {"data": {"threaded_conversation_with_injections_v2": {"instructions": listed, "metadata": metadata}}}


def _show_more(entry_id: str, value: str, left: int) -> Json:
    item = cursor_item("ShowMore", value) | {"displayTreatment": {"actionText": "Show replies"}}
    return {"entryId": f"{entry_id}-cursor-showmore-{left}", "item": {"itemContent": item}}


def _cursor(value: str, sort_index: int, *, button: bool) -> Json:
    if button:
        item = cursor_item("ShowMoreThreads", value) | {"displayTreatment": {"actionText": "Show more replies"}}
        content: Json = {
            "__typename": "TimelineTimelineItem",
            "entryType": "TimelineTimelineItem",
            "itemContent": item,
        }
        return {"content": content, "entryId": f"cursor-showmorethreads-{sort_index}", "sortIndex": str(sort_index)}
    kind = "TimelineTimelineCursor"
    bottom = {"__typename": kind, "cursorType": "Bottom", "entryType": kind, "value": value}
    return {"content": bottom, "entryId": f"cursor-bottom-{sort_index}", "sortIndex": str(sort_index)}
