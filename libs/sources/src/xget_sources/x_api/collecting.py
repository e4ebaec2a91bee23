"""Reading a listing of the API page by page, and knowing when and why it ends."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import structs

from xget_sources.ports import CollectRequest, NoAccount, NotOffered, RawPage, Session, SourceStopped
from xget_sources.x.parser.values import Json, as_id, as_text, as_time, dig, snowflake_time
from xget_sources.x_api.client import Answer, ApiClient, BadRequest
from xget_sources.x_api.parser import results
from xget_sources.x_api.plans import Page, Plan, troubles, words_of
from xget_sources.x_api.positions import Position

ROUTE: Final = "x_api"
FULL_PAGE: Final = 100
WEEK: Final = timedelta(days=7)
_REACH = re.compile(r"'start_time' must be on or after (\S+?)[.]?(?:\s|$)")
_KINDS: Final = {"suspended": "suspended", "authorized": "protected", "could not find": "not_found"}


async def read_pages(
    client: ApiClient, session: Session, plan: Plan, request: CollectRequest, start: Position
) -> AsyncIterator[RawPage]:
    """Pages of a listing from a position on; the last one has an end reason. Raises NoAccount, SourceStopped."""
    position, left = start, request.wanted
    since, until = window_of(plan, request)
    while True:
        answer, position = await ask_page(client, session, plan, (since, until, left), position)
        rows = results(answer.payload)
        if not rows and position.listed == 0 and (errors := troubles(answer.payload)):
            raise missing(errors, plan.subject)
        found = [f"{plan.keyed}{native_id}" for row in rows if plan.wanted(row) and (native_id := as_id(row.get("id")))]
        token = as_text(dig(answer.payload, "meta", "next_token"))
        listed = position.listed + len(rows)
        following = structs.replace(position, token=token, listed=listed)
        end, reach = (None, None) if token else _end(plan, answer, position, since, listed=listed)
        page = raw_page(answer, found, position, None if end else following, end)
        yield structs.replace(_dated(page, rows) if plan.newest_first else page, reach=reach)
        if end:
            return
        position = following
        left = None if left is None else max(1, left - len(found))


async def ask_page(
    client: ApiClient,
    session: Session,
    plan: Plan,
    wish: tuple[datetime | None, datetime | None, int | None],
    position: Position,
) -> tuple[Answer, Position]:
    """One page; what X says of the window's ends is taken from its own words, whatever our clock says."""
    since, until, left = wish
    for _ in range(5):
        page = Page(
            token=position.token,
            size=min(FULL_PAGE, left or FULL_PAGE),
            archive=position.archive is not False,
            since=None if position.reach else since,
            until=None if position.unended else until,
        )
        if position.reach and until and until <= position.reach:
            raise NotOffered(plan.beyond())
        call = plan.call(page)
        try:
            answer = await client.ask(session, call)
        except BadRequest as refused:
            position = _mended(position, refused)
        except NoAccount as none:
            if not call.archive or none.resume_at is not None or position.archive:
                raise
            position = structs.replace(position, archive=False)
        else:
            return answer, structs.replace(position, archive=True) if call.archive else position
    raise SourceStopped("source_error", f"X's API does not take the window of {plan.subject}.")


def _mended(position: Position, refused: BadRequest) -> Position:
    """The position with what X's refusal says of the window. Raises it when it says nothing of that."""
    told = " ".join(refused.says)
    reach = _REACH.search(told)
    if reach and position.reach is None and (moment := _moment(reach[1])) is not None:
        return structs.replace(position, reach=moment)
    if "'end_time' must be a minimum of" in told and not position.unended:
        return structs.replace(position, unended=True)
    if "next_token" in told and position.token is not None:  # it has grown too old: the window tells where to go on
        return structs.replace(position, token=None)
    raise refused


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def window_of(plan: Plan, request: CollectRequest) -> tuple[datetime | None, datetime | None]:
    """The window of the query and the parameters, as the run has narrowed it."""
    own = request.parameters
    since = max((one for one in (plan.since, own.get("since"), request.since) if one), default=None)
    until = min((one for one in (plan.until, own.get("until"), request.until) if one), default=None)
    return since, until


def _end(
    plan: Plan, answer: Answer, position: Position, since: datetime | None, *, listed: int
) -> tuple[str, datetime | None]:
    """Why nothing follows, and how far back the route goes where that is not far enough."""
    if plan.ranked:
        return "ranking_ended", None
    if plan.most is not None:
        return ("reach_ended", None) if listed >= plan.most else ("window_covered" if since else "exhausted", None)
    if answer.call.operation != "tweetsRecentSearch":
        return ("window_covered" if plan.windowed else "exhausted"), None
    if position.reach is None and since is not None:
        return "window_covered", None
    now = answer.seen.now or answer.seen.fetched_at
    return "reach_ended", position.reach or (now - WEEK).astimezone(UTC)


def missing(errors: list[Json], subject: str) -> SourceStopped:
    """The typed end for what the API does not show."""
    told = words_of(errors[0])
    reason = next((kind for word, kind in _KINDS.items() if word in told.lower()), "unavailable")
    return SourceStopped(reason, f"X's API does not show {subject}: {told}")


def _dated(page: RawPage, rows: Iterable[Json]) -> RawPage:
    times = [written for row in rows if (written := as_time(row.get("created_at")))]
    return structs.replace(page, oldest_at=min(times), newest_at=max(times)) if times else page


def raw_page(
    answer: Answer, keys: list[str], position: Position, following: Position | None, end: str | None, *,
    counts: bool = True,
) -> RawPage:  # fmt: skip
    """An answer as a page of the execution."""
    seen = answer.seen
    ids = {key: key.removeprefix("x:") for key in keys}
    return RawPage(
        operation=answer.call.operation,
        route=ROUTE,
        request={"path": answer.call.path, **answer.call.asked},
        body=seen.body,
        fetched_at=seen.fetched_at,
        duration_ms=seen.outcome.duration_ms,
        requests=answer.requests,
        entry_keys=keys,
        cursor_in=None if position == Position() else position.encode(),
        cursor_out=following.encode() if following else None,
        account_id=answer.account_id,
        proxy_id=answer.proxy_id,
        end_reason=end,
        counts=counts,
        written_at={key: at for key, one in ids.items() if one.isdecimal() and (at := snowflake_time(one))},
    )
