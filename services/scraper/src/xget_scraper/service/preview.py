"""What a task would ask and take, told before it is made: nothing is stored, and nothing but counts is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from xget_kernel.caller import Caller
from xget_kernel.errors import Unavailable
from xget_scraper.ports import Left, Pools
from xget_scraper.schemas.preview import PreviewWrite
from xget_scraper.service.drafts import Checked, Drafts, check_curve
from xget_scraper.service.expecting import Expected, Expecting
from xget_sources.ports import Preview, TaskTypeSpec

PAGE_SECONDS: Final = 1.0
"""A page of the platform, from request to checkpoint, as it usually takes."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """How much it takes; None: nobody can know before the run."""

    requests_at_least: int
    requests: int | None
    pages: int | None
    seconds: int | None
    again: int | None
    accounts: int | None
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """A checked wish with what it would ask and take."""

    spec: TaskTypeSpec
    parameters: Mapping[str, Any]
    preview: Preview
    estimate: Estimate
    expected: Expected | None = None


class PreviewService:
    """Looks ahead with the sources and the pools."""

    def __init__(self, drafts: Drafts, pools: Pools, expecting: Expecting) -> None:
        self._drafts = drafts
        self._expecting = expecting
        self._pools = pools

    async def look(self, body: PreviewWrite, caller: Caller) -> Outlook:
        """What the wish would ask and take. Raises InvalidTask (422)."""
        checked = self._drafts.check(body.platform, body.task_type, body.parameters)
        check_curve(checked.spec, body.reobserve)
        preview = checked.source.preview(checked.spec.name, checked.parameters)
        left = await self._left(body, caller, preview.operations) if checked.source.needs_account else {}
        warnings = list(preview.warnings)
        routes, refusals = self._drafts.routes(checked, body.routes)
        warnings += [f"The route {route} is passed over: {why}" for route, why in refusals.items()]
        if checked.spec.own_account and body.account_id is None:
            warnings.append("The task must name its account (account_id).")
        shown = Preview(**{name: getattr(preview, name) for name in preview.__struct_fields__} | {"warnings": warnings})
        return Outlook(
            spec=checked.spec,
            parameters=checked.parameters,
            preview=shown,
            estimate=estimate(preview, checked.parameters, left, body.reobserve or ()),
            expected=await self._expected(body, checked, [name for name in routes if name not in refusals], caller),
        )

    async def _expected(
        self, body: PreviewWrite, checked: Checked, routes: Sequence[str], caller: Caller
    ) -> Expected | None:
        """What the first of the routes that counts says."""
        for route in routes if body.routes else ():
            source = self._drafts.installed(checked)[route]
            found = await self._expecting.of(source, body, checked.spec.name, checked.parameters, caller)
            if found is not None:
                return found
        return None

    async def _left(self, body: PreviewWrite, caller: Caller, operations: Sequence[str]) -> dict[str, Left] | None:
        """What the caller's accounts have left for each operation; None while the account service is silent."""
        try:
            return {
                operation: await self._pools.left(caller.user_id, body.platform, operation, body.account_id)
                for operation in operations
            }
        except Unavailable:
            return None


def estimate(
    preview: Preview, parameters: Mapping[str, Any], left: Mapping[str, Left] | None, ages: Sequence[int] = ()
) -> Estimate:
    """Requests, pages and time of a preview, and requests for seeing posts again; without `left` no time is known."""
    pages = _pages(preview, parameters)
    limited = parameters.get("limit") is not None
    first = 1 if limited else preview.targets
    requests = None if pages is None else pages + (min(preview.lookups, pages) if limited else preview.lookups)
    accounts = None if left is None else min((some.accounts for some in left.values()), default=0)
    posts = _posts(preview, parameters)
    again = 0 if not ages else None if posts is None else posts * len(ages)
    seconds = None
    if requests is not None and pages is not None and left is not None:
        seconds = _seconds(requests - pages, pages, left)
    return Estimate(
        requests_at_least=first + min(preview.lookups, first),
        requests=requests,
        pages=pages,
        seconds=seconds,
        again=again,
        accounts=accounts,
        sentence=_sentence(requests, seconds, left) + _again(again, ages),
    )


def _posts(preview: Preview, parameters: Mapping[str, Any]) -> int | None:
    """Most results; None when only the platform knows."""
    limit, each = parameters.get("limit"), parameters.get("limit_per_target")
    alone = preview.targets if preview.page_size is None else None
    most = [limit, alone, each and preview.targets * each]
    return min((count for count in most if count), default=None)


def _again(again: int | None, ages: Sequence[int]) -> str:
    if not ages:
        return ""
    if again is None:
        return " To see the posts again takes a request for each post and age (give a limit to know how many)."
    return f" To see the posts again takes up to {again} requests more, the last {_duration(ages[-1])} after a post."


def _pages(preview: Preview, parameters: Mapping[str, Any]) -> int | None:
    """Full pages of results; None when only the platform knows how many there are."""
    limit, each = parameters.get("limit"), parameters.get("limit_per_target")
    if preview.page_size is None:
        return min(preview.targets, limit or preview.targets)
    most = [ceil(limit / preview.page_size)] if limit else []
    if each:
        most.append(preview.targets * ceil(each / preview.page_size))
    return min(most, default=None)


def _seconds(lookups: int, pages: int, left: Mapping[str, Left]) -> int | None:
    """Time of the requests and of the waits between them; None when a limit is not known that it may meet."""
    waits = []
    for n, some in enumerate(left.values()):
        wait = _wait(lookups if lookups and n == 0 else pages, some)
        if wait is None:
            return None
        waits.append(wait)
    return round((lookups + pages) * PAGE_SECONDS) + max(waits, default=0)


def _wait(requests: int, left: Left) -> int | None:
    """Seconds until the accounts' limits have let so many requests through."""
    if left.known == 0 or left.limit == 0:
        return None
    share = left.limit / left.known
    now = left.remaining + (left.accounts - left.known) * share
    return ceil(max(0, requests - now) / (share * left.accounts)) * left.window_seconds


def _sentence(requests: int | None, seconds: int | None, left: Mapping[str, Left] | None) -> str:
    if left is None:
        time = "the account service does not answer, so the time is not known"
    elif left and not min(some.accounts for some in left.values()):
        return "There is no usable account for this task: add one, or mend those that there are."
    elif seconds is not None:
        time = f"about {_duration(seconds)}, waits for rate limits included"
    elif requests is None:
        time = "the time is not known either"
    else:
        time = "the time is not known before the platform has told its limits"
    if requests is None:
        return f"How many requests it takes is not known before the run (give a limit to know); {time}."
    today = min((some.today for some in (left or {}).values()), default=None)
    short = today is not None and requests > today
    more = f" Your accounts have {today} requests left today: the rest follows tomorrow." if short else ""
    return f"{requests} request{'s' * (requests != 1)} when every page is full; {time}.{more}"


def _duration(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    if seconds < 5400:
        return f"{round(seconds / 60)} minutes"
    return f"{round(seconds / 3600)} hours" if seconds < 72 * 3600 else f"{round(seconds / 86400)} days"
