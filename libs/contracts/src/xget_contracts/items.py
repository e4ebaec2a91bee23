"""What XGet keeps of a platform: posts, users, trends, communities and lists as items, and their authors.

Every struct is wire format: msgspec encodes it to the JSON that topics and stores carry. Times are UTC, counts are
non-negative integers, durations are milliseconds; `None` means that the platform did not say.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

Kind = Literal["post", "user", "trend", "community", "list"]
Gone = Literal["deleted", "withheld", "age_gated", "suspended", "limited", "unavailable"]
"""Why a platform shows something else in a post's place. `limited`: not for this account, as protected posts are;
`unavailable`: it does not say more."""


class Struct(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """Base of all item structs: fields that hold their default are left out of the JSON."""


class Link(Struct):
    """A link in a text, expanded from the payload (never by a request)."""

    url: str
    short: str | None = None
    display: str | None = None


class UserRef(Struct):
    """A mentioned or answered user; only the id is certain."""

    id: str
    username: str | None = None
    name: str | None = None


class Variant(Struct):
    """One encoding of a video."""

    url: str
    content_type: str
    bitrate: int | None = None


class Media(Struct):
    """A photo, video or animation of a post."""

    type: Literal["photo", "video", "animated_gif"]
    url: str
    """The image itself, or the still image of a video."""
    id: str | None = None
    alt_text: str | None = None
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    views: int | None = None
    title: str | None = None
    description: str | None = None
    warnings: list[str] = msgspec.field(default_factory=list)
    """What it is marked as: adult_content, graphic_violence, other."""
    unavailable: str | None = None
    """Why the platform does not serve it, in its words; None while it does."""
    variants: list[Variant] = msgspec.field(default_factory=list)


class Metrics(Struct):
    """Engagement as the page showed it."""

    replies: int | None = None
    reposts: int | None = None
    likes: int | None = None
    quotes: int | None = None
    bookmarks: int | None = None
    views: int | None = None
    # of users
    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    listed: int | None = None
    media: int | None = None
    favourites: int | None = None
    """Posts that the user liked."""
    # of communities and lists
    members: int | None = None
    moderators: int | None = None
    subscribers: int | None = None


class Place(Struct):
    """Where a post says that it was written."""

    id: str
    full_name: str | None = None
    name: str | None = None
    type: str | None = None
    country: str | None = None
    country_code: str | None = None
    box: list[float] = msgspec.field(default_factory=list)
    """West, south, east and north in degrees, when the platform gives them."""


class Coordinates(Struct):
    """A point in degrees, WGS 84."""

    longitude: float
    latitude: float


class PollOption(Struct):
    """One answer of a poll and its votes."""

    label: str
    votes: int | None = None


class Card(Struct):
    """What a post's card shows: a poll, a link's summary, an audio space, a broadcast or a player."""

    type: str
    """poll, summary, summary_large_image, player, unified_card, broadcast, audiospace, or what the platform says."""
    name: str | None = None
    """The platform's full name of the card."""
    url: str | None = None
    title: str | None = None
    description: str | None = None
    image: str | None = None
    options: list[PollOption] = msgspec.field(default_factory=list)
    finished: bool | None = None
    ends_at: datetime | None = None
    duration_minutes: int | None = None
    values: dict[str, Any] = msgspec.field(default_factory=dict)
    """Bindings of the card that no field above holds, by their own name."""


class Author(Struct):
    """Who wrote an item. `id` is the platform's, `key` is `platform:id`."""

    key: str
    platform: str
    id: str
    username: str
    name: str
    description: str = ""
    url: str | None = None
    created_at: datetime | None = None
    location: str | None = None
    avatar_url: str | None = None
    banner_url: str | None = None
    verified: bool | None = None
    blue: bool | None = None
    verified_type: str | None = None
    protected: bool | None = None
    links: list[Link] = msgspec.field(default_factory=list)
    pinned_ids: list[str] = msgspec.field(default_factory=list)
    metrics: Metrics = msgspec.field(default_factory=Metrics)
    extra: dict[str, Any] = msgspec.field(default_factory=dict)


class Item(Struct):
    """One normalised post, user, trend, community or list as one page showed it.

    `key` is `platform:native_id` for posts, `platform:<kind>:native_id` for the others (a trend's native id is a slug).
    `role` is "match" when the page lists the item as an answer to the task, "context" when it came along
    (quoted, reposted, answered, beyond the limit or outside the filters).
    """

    key: str
    platform: str
    native_id: str
    kind: Kind = "post"
    role: Literal["match", "context"] = "context"
    url: str | None = None
    text: str = ""
    """Cleaned text: NFC, entities decoded, short links expanded."""
    raw_text: str | None = None
    """The text as the platform sent it."""
    lang: str | None = None
    created_at: datetime | None = None
    author_key: str | None = None
    author_id: str | None = None
    author_username: str | None = None
    author_name: str | None = None
    conversation_id: str | None = None
    in_reply_to_id: str | None = None
    in_reply_to_user: UserRef | None = None
    quoted_id: str | None = None
    reposted_id: str | None = None
    mentions: list[UserRef] = msgspec.field(default_factory=list)
    hashtags: list[str] = msgspec.field(default_factory=list)
    cashtags: list[str] = msgspec.field(default_factory=list)
    links: list[Link] = msgspec.field(default_factory=list)
    media: list[Media] = msgspec.field(default_factory=list)
    card: Card | None = None
    place: Place | None = None
    coordinates: Coordinates | None = None
    source_app: str | None = None
    source_url: str | None = None
    sensitive: bool | None = None
    gone: Gone | None = None
    """Set when the platform named the post and showed a stand-in. Such an item has an identity, `gone` and `gone_text`
    and nothing else: it never says anything about the post's content."""
    gone_text: str | None = None
    """The stand-in's words."""
    metrics: Metrics = msgspec.field(default_factory=Metrics)
    extra: dict[str, Any] = msgspec.field(default_factory=dict)
    """Everything else worth keeping (edit control, display range, translatable, trend rank), by a documented name."""


class Rejected(Struct):
    """A record that the parser could not turn into an item; it goes to quarantine, never away."""

    path: str
    """Where in the payload, as `data.a.b[3].c`."""
    reason: str
    native_id: str | None = None
    raw: bytes = b""
    """The record itself as JSON; empty when it is nothing that JSON can carry (an integer beyond 64 bits, depth)."""
    shape: str = ""
    """Outline of the record as JSON, at most 2,000 characters: field names, and types in place of values."""
