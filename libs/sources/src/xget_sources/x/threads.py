"""The posts of an author's thread: those that each answer the one before, all by the same author."""

from __future__ import annotations

from xget_sources.x.parser.timeline import Entry, Timeline, author_of
from xget_sources.x.selection import field_of


class Thread:
    """Learns from a conversation's pages which of its posts make up the thread around a post."""

    def __init__(self, tweet_id: str, author: str | None) -> None:
        self.author = author
        self._resumed = author is not None
        self._known = {tweet_id}

    def learn(self, page: Timeline) -> str | None:
        """Take a page in; the author, or None when the post itself has not been seen."""
        posts = {entry.id: entry for entry in page.entries if entry.kind == "post" and not entry.aside}
        if self.author is None:
            (begin,) = self._known
            if begin not in posts:
                return None
            self.author = author_of(posts[begin].record)
            self._climb(begin, posts)
        own = sorted((entry for entry in posts.values() if self._by_author(entry)), key=lambda entry: int(entry.id))
        for entry in own:  # an answer has a higher number than what it answers
            parent = field_of(entry, "in_reply_to_status_id_str")
            if parent in self._known or (self._resumed and parent and self._answers_itself(entry)):
                self._known.add(entry.id)
        return self.author

    def wanted(self, entry: Entry) -> bool:
        """Whether an entry of a learned page belongs to the thread."""
        return entry.kind == "post" and entry.id in self._known and self._by_author(entry)

    def _climb(self, begin: str, posts: dict[str, Entry]) -> None:
        """From the post up to the first of the thread."""
        here: str | None = begin
        while here in posts and self._by_author(posts[here]):
            self._known.add(here)
            here = field_of(posts[here], "in_reply_to_status_id_str")
            if here in self._known:
                return

    def _by_author(self, entry: Entry) -> bool:
        return author_of(entry.record) == self.author

    def _answers_itself(self, entry: Entry) -> bool:
        return bool(field_of(entry, "in_reply_to_user_id_str") == self.author)
