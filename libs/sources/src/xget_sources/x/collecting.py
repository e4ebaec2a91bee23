"""Reading a timeline page by page, and knowing when and why it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime

import msgspec

from xget_sources.ports import RawPage, Session
from xget_sources.x.client import Answer, XClient
from xget_sources.x.cursors import Position, Trail
from xget_sources.x.missing import no_more, no_timeline
from xget_sources.x.parser.timeline import Timeline, read_timeline
from xget_sources.x.parser.values import snowflake_time
from xget_sources.x.plans import Plan
from xget_sources.x.selection import created, keys

ROUTE = "x_session"
_MAX_EMPTY = 3
"""Pages without an entry in a row, each with a new cursor, after which a timeline counts as stalled."""


class Page(msgspec.Struct):
    """One place of a timeline, asked for as often as it took."""

    answer: Answer
    timeline: Timeline
    requests: int


async def read_pages(client: XClient, session: Session, plan: Plan, start: Position) -> AsyncIterator[RawPage]:
    """Pages of a timeline from a position on; the last one has an end reason. Raises NoAccount, SourceStopped."""
    position, empty, spent = start, 0, 0
    seen = Trail(start.cursor)
    while True:
        page = await ask_page(client, session, plan, position.cursor)
        spent += page.requests
        empty = 0 if page.timeline.entries else empty + 1
        after = page.timeline.cursor
        end = _end(plan, page.timeline, position.cursor, seen, empty)
        if end is None:
            seen.add(after)
        following = Position(uid=start.uid, cursor=after, afresh=start.afresh)
        if page.timeline.entries or end:
            found = keys(page.timeline.entries, plan.wanted)
            listed = raw_page(page.answer, found, position, None if end else following, end, requests=spent)
            yield _dated(listed, page.timeline) if plan.newest_first else listed
            spent = 0
        if end:
            return
        position = following


async def ask_page(client: XClient, session: Session, plan: Plan, cursor: str | None) -> Page:
    """One place of the timeline; what looks like a hiccup (no entry, or its own cursor again) is asked for twice."""
    page = await _ask(client, session, plan, cursor)
    if not _odd(page.timeline, cursor):
        return page
    again = await _ask(client, session, plan, cursor)
    again.requests += page.requests
    if again.timeline.found and (again.timeline.entries or not page.timeline.entries):
        return again
    page.requests = again.requests
    if not page.timeline.found:
        if cursor is None:
            raise no_timeline(again.answer.payload, plan.subject)
        raise no_more(page.answer.payload, plan.subject)
    return page


def _odd(timeline: Timeline, cursor: str | None) -> bool:
    if timeline.ended:
        return False
    if timeline.entries:
        return timeline.cursor is not None and timeline.cursor == cursor
    return not timeline.found or timeline.cursor is None or timeline.cursor != cursor


async def _ask(client: XClient, session: Session, plan: Plan, cursor: str | None) -> Page:
    answer = await client.ask(session, plan.ask(cursor))
    return Page(answer, read_timeline(answer.payload), answer.requests)


def _end(plan: Plan, timeline: Timeline, cursor: str | None, seen: Trail, empty: int) -> str | None:
    """Why nothing follows this page, or None."""
    if plan.covered(timeline):
        return "window_covered"
    if timeline.ended or timeline.cursor is None:
        return _no_more(plan)
    if timeline.cursor in seen:
        # Only cursors left, and the same as before: so X ends a search. With entries it goes round in a circle.
        return "stalled" if timeline.entries or timeline.cursor != cursor else _no_more(plan)
    return "stalled" if empty >= _MAX_EMPTY else None


def _no_more(plan: Plan) -> str:
    return "ranking_ended" if plan.ranked else "exhausted"


def _dated(page: RawPage, timeline: Timeline) -> RawPage:
    own = [entry for entry in timeline.entries if entry.kind == "post" and not (entry.pinned or entry.aside)]
    times = [written for entry in own if (written := created(entry))]
    return msgspec.structs.replace(page, oldest_at=min(times), newest_at=max(times)) if times else page


def raw_page(
    answer: Answer,
    entry_keys: list[str],
    position: Position,
    following: Position | None,
    end: str | None,
    *,
    requests: int | None = None,
    counts: bool = True,
) -> RawPage:
    """An answer as a page of the execution."""
    seen = answer.seen
    return RawPage(
        operation=seen.outcome.operation,
        route=ROUTE,
        request=seen.variables,
        body=seen.body,
        fetched_at=seen.fetched_at,
        duration_ms=seen.outcome.duration_ms,
        requests=answer.requests if requests is None else requests,
        entry_keys=entry_keys,
        cursor_in=None if position == Position() else position.encode(),
        cursor_out=following.encode() if following else None,
        account_id=answer.account_id,
        proxy_id=answer.proxy_id,
        end_reason=end,
        counts=counts,
        written_at=_written(entry_keys),
    )


def _written(keys: Iterable[str]) -> dict[str, datetime]:
    """When X gave out the ids of posts."""
    ids = {key: key.removeprefix("x:") for key in keys}
    return {key: at for key, number in ids.items() if number.isdecimal() and (at := snowflake_time(number))}
