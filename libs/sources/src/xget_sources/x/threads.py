"""The posts of an author's thread: those that each answer the one before, all by the same author."""

from __future__ import annotations

from collections.abc import AsyncIterator

from xget_sources.ports import RawPage, Session
from xget_sources.x.client import XClient
from xget_sources.x.collecting import ask_page, raw_page
from xget_sources.x.cursors import Position
from xget_sources.x.missing import no_post
from xget_sources.x.parser.timeline import Entry, Timeline, author_of
from xget_sources.x.plans import Plan
from xget_sources.x.selection import field_of, keys


class Thread:
    """Learns from a conversation's pages which of its posts make up the thread around a post."""

    def __init__(self, tweet_id: str, start: Position) -> None:
        self.author = start.uid
        self._known = dict.fromkeys((tweet_id, *start.known))

    @property
    def known(self) -> tuple[str, ...]:
        """Ids of the thread's posts as far as they were seen, and of the post asked for."""
        return tuple(self._known)

    def learn(self, page: Timeline) -> None:
        """Take a page in. Without the post itself on the first page nothing is learned and `author` stays None."""
        posts = {entry.id: entry for entry in page.entries if entry.kind == "post" and not entry.aside}
        if self.author is None:
            (begin,) = self._known
            if begin not in posts:
                return
            self.author = author_of(posts[begin].record)
            self._climb(begin, posts)
        for native_id in sorted(posts, key=int):  # an answer has a higher number than what it answers
            if self._by_author(posts[native_id]) and _parent(posts[native_id]) in self._known:
                self._known[native_id] = None

    def wanted(self, entry: Entry) -> bool:
        """Whether an entry of a learned page belongs to the thread."""
        return entry.kind == "post" and entry.id in self._known

    def onward(self, page: Timeline, *, within: bool) -> list[str]:
        """Cursors of the places where the thread may go on; `within`: the page itself is such a place."""
        return [one.cursor for one in page.branches if within or not self._known.keys().isdisjoint(one.beside)]

    def _climb(self, begin: str, posts: dict[str, Entry]) -> None:
        """From the post up to the first of the thread."""
        here: str | None = begin
        seen: set[str] = set()
        while here in posts and here not in seen and self._by_author(posts[here]):
            seen.add(here)
            self._known[here] = None
            here = _parent(posts[here])

    def _by_author(self, entry: Entry) -> bool:
        return author_of(entry.record) == self.author


def _parent(entry: Entry) -> str | None:
    found = field_of(entry, "in_reply_to_status_id_str")
    return found if isinstance(found, str) else None


async def read_thread(
    client: XClient, session: Session, plan: Plan, tweet_id: str, start: Position
) -> AsyncIterator[RawPage]:
    """Pages of a conversation, the thread's own places first; each is asked for once. Raises SourceStopped."""
    thread, position = Thread(tweet_id, start), start
    seen = {start.cursor, *start.branches}
    while True:
        branch, *waiting = position.branches or (None,)
        page = await ask_page(client, session, plan, branch or position.cursor)
        thread.learn(page.timeline)
        if thread.author is None:
            raise no_post(page.answer.payload, tweet_id)
        after, end = (position.cursor, None) if branch else _after(page.timeline, seen)
        fresh = [one for one in thread.onward(page.timeline, within=branch is not None) if one not in seen]
        seen.update(fresh, (after,))
        more = (*waiting, *fresh)
        done = position.done if branch else end
        following = Position(
            uid=thread.author, cursor=after, known=thread.known, branches=more, done=done, afresh=start.afresh
        )
        over = done if done and not more else None
        found = keys(page.timeline.entries, thread.wanted)
        yield raw_page(page.answer, found, position, None if over else following, over, requests=page.requests)
        if over:
            return
        position = following


def _after(page: Timeline, seen: set[str | None]) -> tuple[str | None, str | None]:
    """The conversation's next cursor, or why there is none."""
    if page.ended or page.cursor is None:
        return None, "exhausted"
    if page.cursor in seen:
        return None, "stalled" if page.entries else "exhausted"
    return page.cursor, None
