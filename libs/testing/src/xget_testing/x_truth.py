"""What twscrape's own parser makes of a payload, field by field, to hold our items against."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import orjson

os.environ["TWS_TELEMETRY"] = "0"

from twscrape.models import (
    AudiospaceCard,
    BroadcastCard,
    PollCard,
    SummaryCard,
    Trend,
    Tweet,
    User,
)
from twscrape.utils import to_old_rep

from xget_contracts.items import Author, Item

RECORDINGS = Path(os.environ.get("XGET_RECORDINGS", Path(__file__).parents[5] / "shared" / "recordings")) / "x"


def recordings() -> list[Path]:
    """Recorded answers of X, when they are beside the repository."""
    return sorted(path for path in RECORDINGS.glob("*.json") if path.name != "manifest.json")


def theirs(payload: Any) -> tuple[dict[str, Tweet], dict[str, User], dict[str, Trend]]:
    """Every post, user and trend that twscrape can parse, also originals of reposts that it does not list."""
    old = to_old_rep(copy.deepcopy(payload))
    parsed: list[dict[str, Any]] = []
    for kind, read in (("tweets", Tweet.parse), ("users", User.parse), ("trends", Trend.parse)):
        records: dict[str, Any] = {}
        for key, record in old[kind].items():
            try:
                records[str(key)] = read(record, old)
            except Exception:  # noqa: BLE001, S112 - what it cannot parse, it drops
                continue
        parsed.append(records)
    return parsed[0], parsed[1], parsed[2]


def post_differences(tweet: Tweet, item: Item) -> list[str]:
    """Fields of a post in which our item says less than, or something else than twscrape."""
    counts = {
        "replies": tweet.replyCount,
        "reposts": tweet.retweetCount,
        "likes": tweet.likeCount,
        "quotes": tweet.quoteCount,
        "bookmarks": tweet.bookmarkedCount,
    }
    pairs: list[tuple[str, Any, Any]] = [
        ("id", tweet.id_str, item.native_id),
        ("url", tweet.url, item.url),
        ("date", tweet.date, item.created_at),
        ("author", tweet.user.id_str, item.author_id),
        ("username", tweet.user.username, item.author_username),
        ("author name", tweet.user.displayname, item.author_name),
        ("lang", tweet.lang or None, item.lang),
        ("text", tweet.rawContent, item.raw_text),
        ("conversation", tweet.conversationIdStr, item.conversation_id),
        ("reply to", tweet.inReplyToTweetIdStr, item.in_reply_to_id),
        ("views", tweet.viewCount, item.metrics.views),
        ("sensitive", tweet.possibly_sensitive, item.sensitive),
        ("source", tweet.sourceLabel, item.source_app),
        ("source url", tweet.sourceUrl, item.source_url),
        ("quote", tweet.isQuoteStatus, item.extra.get("is_quote", False)),
        ("translatable", tweet.isTranslatable, item.extra.get("translatable", False)),
        ("display range", tweet.displayTextRange, item.extra.get("display_range")),
        ("voice", tweet.voiceInfo, item.extra.get("voice")),
        ("edit", _edit(tweet.editControl), item.extra.get("edit", {})),
        *((name, count, getattr(item.metrics, name)) for name, count in counts.items()),
    ]
    if tweet.quotedTweet:
        pairs.append(("quoted", tweet.quotedTweet.id_str, item.quoted_id))
    if tweet.retweetedTweet:
        pairs.append(("reposted", tweet.retweetedTweet.id_str, item.reposted_id))
    if tweet.inReplyToUser:
        user = item.in_reply_to_user
        pairs.append(
            ("answered", (tweet.inReplyToUser.id_str, tweet.inReplyToUser.username), user and (user.id, user.username))
        )
    return [f"{tweet.id_str} {n}: {a!r} != {b!r}" for n, a, b in pairs if a != b] + _list_differences(tweet, item)


def _edit(control: dict[str, Any] | None) -> dict[str, Any]:
    """What X says of edits, under our names."""
    told = control or {}
    pairs = {
        "ids": told.get("edit_tweet_ids"),
        "initial_id": told.get("initial_tweet_id"),
        "until_ms": int(told["editable_until_msecs"]) if "editable_until_msecs" in told else None,
        "remaining": int(told["edits_remaining"]) if "edits_remaining" in told else None,
        "eligible": told.get("is_edit_eligible"),
    }
    return {name: value for name, value in pairs.items() if value is not None}


def _list_differences(tweet: Tweet, item: Item) -> list[str]:
    photos = [media.url for media in item.media if media.type == "photo"]
    videos = [media for media in item.media if media.type == "video"]
    animated = [(media.url, media.variants[0].url) for media in item.media if media.type == "animated_gif"]
    links = [(link.url, link.display, link.short) for link in item.links]
    pairs: list[tuple[str, Any, Any]] = [
        ("photos", [photo.url for photo in tweet.media.photos], photos),
        ("videos", [video.thumbnailUrl for video in tweet.media.videos], [video.url for video in videos]),
        ("durations", [v.duration for v in tweet.media.videos], [v.duration_ms for v in videos]),
        ("video views", [v.views for v in tweet.media.videos], [v.views for v in videos]),
        ("animations", [(a.thumbnailUrl, a.videoUrl) for a in tweet.media.animated], animated),
        ("hashtags", tweet.hashtags, item.hashtags[: len(tweet.hashtags)]),
        ("cashtags", tweet.cashtags, item.cashtags[: len(tweet.cashtags)]),
    ]
    if tweet.place:
        place = (
            tweet.place.id,
            tweet.place.fullName,
            tweet.place.name,
            tweet.place.type,
            tweet.place.country,
            tweet.place.countryCode,
        )
        mine = item.place and (
            item.place.id,
            item.place.full_name,
            item.place.name,
            item.place.type,
            item.place.country,
            item.place.country_code,
        )
        pairs.append(("place", place, mine))
    if tweet.coordinates:
        point = item.coordinates and (item.coordinates.longitude, item.coordinates.latitude)
        pairs.append(("coordinates", (tweet.coordinates.longitude, tweet.coordinates.latitude), point))
    missing = [link for link in tweet.links if (link.url, link.text, link.tcourl) not in links]
    mentioned = {(mention.id, mention.username, mention.name) for mention in item.mentions}
    missing += [u for u in tweet.mentionedUsers if (u.id_str, u.username, u.displayname) not in mentioned]
    for theirs_, ours in zip(tweet.media.videos, videos, strict=False):
        known = {(v.url, v.bitrate, v.content_type) for v in ours.variants}
        missing += [v for v in theirs_.variants if (v.url, v.bitrate, v.contentType) not in known]
    found = [f"{tweet.id_str} {name}: {a!r} != {b!r}" for name, a, b in pairs if a != b]
    return found + [f"{tweet.id_str} missing: {entry!r}" for entry in missing] + card_differences(tweet, item)


def card_differences(tweet: Tweet, item: Item) -> list[str]:
    """Fields of a card in which ours says something else."""
    card, mine = tweet.card, item.card
    if card is None:
        return []
    if mine is None:
        return [f"{tweet.id_str} has no card"]
    pairs: list[tuple[str, Any, Any]] = []
    match card:
        case PollCard():
            options = [(option.label, option.votesCount) for option in card.options]
            pairs = [
                ("options", options, [(o.label, o.votes) for o in mine.options]),
                ("finished", card.finished, mine.finished),
            ]
        case SummaryCard():
            pairs = [
                ("title", card.title or None, mine.title),
                ("description", card.description or None, mine.description),
            ]
            pairs.append(("vanity", card.vanityUrl or None, mine.values.get("vanity_url")))
            pairs.append(("image", card.photo and card.photo.url, mine.image if card.photo else None))
            pairs.append(("url", card.url or None, mine.url if card.url else None))
        case BroadcastCard():
            pairs = [
                ("title", card.title, mine.title),
                ("url", card.url, mine.url),
                ("image", card.photo and card.photo.url, mine.image),
            ]
        case AudiospaceCard():
            pairs = [("url", card.url, mine.url)]
    return [f"{tweet.id_str} card {name}: {a!r} != {b!r}" for name, a, b in pairs if a != b]


def user_differences(user: User, author: Author) -> list[str]:
    """Fields of a user in which our author says something else; a 0 of twscrape may be "not said" with us."""
    counts = author.metrics
    pairs: list[tuple[str, Any, Any]] = [
        ("username", user.username, author.username),
        ("name", user.displayname, author.name),
        ("description", user.rawDescription, author.description),
        ("created", user.created, author.created_at if user.created.year > 1970 else user.created),
        ("followers", user.followersCount, counts.followers or 0),
        ("following", user.friendsCount, counts.following or 0),
        ("posts", user.statusesCount, counts.posts or 0),
        ("favourites", user.favouritesCount, counts.favourites or 0),
        ("listed", user.listedCount, counts.listed or 0),
        ("media", user.mediaCount, counts.media or 0),
        ("location", user.location or None, author.location),
        ("avatar", user.profileImageUrl or None, author.avatar_url),
        ("banner", user.profileBannerUrl or None, author.banner_url),
        ("verified", user.verified, author.verified),
        ("blue", user.blue, author.blue),
        ("blue type", user.blueType, author.verified_type),
        ("protected", user.protected, author.protected),
        ("pinned", [str(pinned) for pinned in user.pinnedIds], author.pinned_ids),
        (
            "links",
            [(x.url, x.text, x.tcourl) for x in user.descriptionLinks],
            [(x.url, x.display, x.short) for x in author.links],
        ),
    ]
    return [f"{user.id_str} {name}: {a!r} != {b!r}" for name, a, b in pairs if a != b]


def load(path: Path) -> Any:
    """A recorded payload, decoded."""
    return orjson.loads(path.read_bytes())
