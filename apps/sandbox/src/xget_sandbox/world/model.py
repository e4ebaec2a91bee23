"""Plain facts of the world, before any platform's wire format."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Literal

Kind = Literal["post", "reply", "quote", "repost"]
MediaType = Literal["photo", "video", "animated_gif"]
Standing = Literal["active", "protected", "suspended", "removed"]
MarkKind = Literal["hashtag", "symbol", "mention", "link"]


@dataclass(frozen=True, slots=True)
class Author:
    """One account of the platform; `created_ms` is Unix time in milliseconds."""

    id: int
    handle: str
    name: str
    bio: str
    location: str
    language: str
    created_ms: int
    blue: bool
    business: bool
    standing: Standing
    favourites: int
    website: str | None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something marked in a text: a hashtag's word, a mentioned author's id, or a t.co link.

    Indices count code points of the escaped text as X delivers it; `end` is exclusive.
    """

    kind: MarkKind
    start: int
    end: int
    text: str
    author_id: int = 0
    expanded: str = ""
    display: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """A photo, video or GIF; `token` makes its file names, `tco` is its link at the end of the text."""

    id: int
    type: MediaType
    token: str
    tco: str
    width: int
    height: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll card: labels with their votes."""

    options: tuple[tuple[str, int], ...]
    minutes: int


@dataclass(frozen=True, slots=True)
class Preview:
    """A summary card of a linked page."""

    title: str
    description: str
    domain: str
    tco: str


@dataclass(frozen=True, slots=True)
class Metrics:
    """Counts as X shows them."""

    likes: int
    reposts: int
    replies: int
    quotes: int
    bookmarks: int
    views: int


@dataclass(frozen=True, slots=True)
class Post:
    """One post; `text` is escaped like X's `full_text` (of a long post: its whole note) without media links."""

    id: int
    author_id: int
    created_ms: int
    lang: str
    kind: Kind
    text: str
    marks: tuple[Mark, ...]
    metrics: Metrics
    source: str
    conversation_id: int
    display_start: int = 0
    media: tuple[Media, ...] = ()
    poll: Poll | None = None
    preview: Preview | None = None
    reply_to: int | None = None
    reply_to_author: int | None = None
    quoted: int | None = None
    reposted: int | None = None
    sensitive: bool = False

    @property
    def is_note(self) -> bool:
        """Longer than 280 characters, so X delivers it cut and with a note beside it."""
        return self.kind != "repost" and self.display_start == 0 and len(html.unescape(self.text)) > 280

    @property
    def plain(self) -> str:
        """The text as a reader sees it."""
        return html.unescape(self.text)
