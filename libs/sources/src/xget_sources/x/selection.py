"""Which entries of a timeline answer a task: authors, kinds, windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from xget_sources.x.parser.timeline import Entry, Timeline, author_of
from xget_sources.x.parser.trends import trend_key
from xget_sources.x.parser.values import as_dict, as_time, snowflake_time
from xget_sources.x.tasks import Timed

Wanted = Callable[[Entry], bool]


def keys(entries: Iterable[Entry], wanted: Wanted) -> list[str]:
    """Document keys of the wanted entries in page order, each once; advertisements and suggestions never are."""
    return list(dict.fromkeys(key_of(entry) for entry in entries if not entry.aside and wanted(entry)))


def key_of(entry: Entry) -> str:
    """The key of the item that the parser makes of an entry."""
    if entry.kind == "trend":
        return trend_key(entry.id)
    return f"x:user:{entry.id}" if entry.kind == "user" else f"x:{entry.id}"


def of_kind(kind: str) -> Wanted:
    """All entries of a kind."""
    return lambda entry: entry.kind == kind


def posts(params: Timed, author: str | None = None) -> Wanted:
    """Posts by an author (or anybody) inside the window and of the kinds that the task wants."""

    def wanted(entry: Entry) -> bool:
        if entry.kind != "post" or (author is not None and author_of(entry.record) != author):
            return False
        if params.no_replies and field_of(entry, "in_reply_to_status_id_str"):
            return False
        if params.no_retweets and (
            field_of(entry, "retweeted_status_result") or field_of(entry, "retweeted_status_id_str")
        ):
            return False
        return _inside(created(entry), params)

    return wanted


def answers_to(tweet_id: str) -> Wanted:
    """Direct answers to a post."""
    return lambda entry: entry.kind == "post" and field_of(entry, "in_reply_to_status_id_str") == tweet_id


def quoting(tweet_id: str, wanted: Wanted) -> Wanted:
    """Those of the wanted posts that quote a post, as far as X says what they quote."""
    return lambda entry: wanted(entry) and field_of(entry, "quoted_status_id_str") in (None, tweet_id)


def answering(wanted: Wanted) -> Wanted:
    """Those of the wanted posts that answer a post."""
    return lambda entry: wanted(entry) and bool(field_of(entry, "in_reply_to_status_id_str"))


def with_media(wanted: Wanted) -> Wanted:
    """Those of the wanted posts that show a photo or video of their own."""
    return lambda entry: wanted(entry) and bool(field_of(entry, "extended_entities"))


def created(entry: Entry) -> datetime | None:
    """When an entry's post was written."""
    flat = {**as_dict(entry.record.get("legacy")), **entry.record}
    return as_time(flat.get("created_at")) or snowflake_time(entry.id)


def reaches_before(page: Timeline, since: datetime, author: str) -> bool:
    """True when a newest-first timeline has passed `since`: the last entry has only older posts of the author."""
    own = [e for e in page.entries if e.kind == "post" and not (e.pinned or e.aside) and author_of(e.record) == author]
    last = [written for entry in own if entry.group == own[-1].group if (written := created(entry))]
    return bool(last) and max(last) < since


def field_of(entry: Entry, name: str) -> Any:
    """A field of a record, wherever X keeps it; None when it is absent or empty."""
    return as_dict(entry.record.get("legacy")).get(name) or entry.record.get(name)


def _inside(written: datetime | None, params: Timed) -> bool:
    if written is None:
        return not (params.since or params.until)
    return (params.since is None or written >= params.since) and (params.until is None or written < params.until)
