"""Leases of accounts for one run: waits in place while room is near, else says when it will be."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from xget.account.v1 import account_pool_pb2 as pb
from xget_kernel.clock import Clock
from xget_kernel.errors import NotFound, TooMany, XGetError
from xget_rpc.client import RpcError
from xget_scraper.ports import Tenant
from xget_sources.ports import NoAccount, Spend
from xget_telemetry.logs import get_logger

if TYPE_CHECKING:  # these stubs exist for the type checker only
    from xget.account.v1.account_pool_pb2_grpc import AccountPoolAsyncStub

LOG = get_logger(__name__)
IN_PLACE: Final = 10
"""Seconds that a run waits for an account without giving its place in the worker to another."""
DEADLINE_MARGIN: Final = 5.0
TURN: Final = timedelta(seconds=1)
"""After which a run asks again that waited in vain for leases of others: meanwhile another has its place."""
Found = tuple[pb.Lease, str]


@dataclass(frozen=True)
class Ask:
    """What an account is needed for."""

    operation: str
    sticky: str | None
    spend: Spend | None


class Leasing:
    """Asks the pools of a tenant's owners, in their order."""

    def __init__(self, accounts: AccountPoolAsyncStub, clock: Clock, tenant: Tenant, lease_seconds: int) -> None:
        self._accounts = accounts
        self._clock = clock
        self._tenant = tenant
        self._seconds = lease_seconds

    async def lease(self, operation: str, sticky: str | None, spend: Spend | None = None) -> Found:
        """A lease of the first owner who has one to give, and that owner.

        When none has, it waits where room is near: for leases of others and for rests that end soon. Raises NoAccount.
        """
        refusals: dict[str, XGetError] = {}
        for owner in self._tenant.pool_owners:
            try:
                return await self._ask(owner, Ask(operation, sticky, spend), 0)
            except (NotFound, TooMany) as error:
                refusals[owner] = error
        near = [owner for owner, error in refusals.items() if self._is_near(error)]
        if near:
            found = await self._first(near, Ask(operation, sticky, spend), refusals)
            if found is not None:
                return found
        raise self._refusal(refusals)

    async def _first(self, owners: list[str], ask: Ask, refusals: dict[str, XGetError]) -> Found | None:
        """The first lease that any of these owners has to give; what the others gave as well is given back."""
        asks = {asyncio.create_task(self._ask(owner, ask, IN_PLACE)): owner for owner in owners}
        won: Found | None = None
        try:
            for next_done in asyncio.as_completed(list(asks)):
                try:
                    won = await next_done
                    return won
                except (NotFound, TooMany):
                    continue
            return None
        finally:
            for task in asks:
                task.cancel()
            for (_, owner), ended in zip(
                asks.items(), await asyncio.gather(*asks, return_exceptions=True), strict=True
            ):
                if isinstance(ended, tuple) and ended is not won:
                    await self._give_back(ended[0])
                elif isinstance(ended, (NotFound, TooMany)):
                    refusals[owner] = ended

    async def _ask(self, owner: str, ask: Ask, wait: int) -> Found:
        tenant, spend = self._tenant, ask.spend
        request = pb.AcquireRequest(
            owner_id=owner,
            platform=tenant.platform if spend is None else f"{tenant.platform}_api",
            operation=ask.operation,
            holder=tenant.execution_id,
            account_id=tenant.account_id or "",
            sticky_account_id=ask.sticky or "",
            ttl_seconds=self._seconds,
            wait_seconds=wait,
            priority=tenant.priority,
            immediate=tenant.immediate,
            task_id=tenant.task_id,
            requester_id=tenant.requester_id,
            units=spend.units if spend else 0,
            unit_kind=spend.kind if spend else "",
            full_archive=spend is not None and spend.archive,
        )
        ask_for = self._accounts.Acquire
        answer = await (ask_for(request, timeout=wait + DEADLINE_MARGIN) if wait else ask_for(request))
        lease = answer.lease
        return lease, lease.owner_id or owner  # a lent account goes out as its owner's do

    async def _give_back(self, lease: pb.Lease) -> None:
        request = pb.ReleaseRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token)
        try:
            await self._accounts.Release(request, timeout=2.0)
        except XGetError as error:
            LOG.warning("lease_not_released", lease_id=lease.lease_id, reason=error.detail)

    def _is_near(self, error: XGetError) -> bool:
        if not isinstance(error, TooMany):
            return False
        told = told_of(error)
        near = self._clock.now() + timedelta(seconds=IN_PLACE)
        return told.get("waits-for") == "lease" or self._available_at(error) <= near

    def _refusal(self, refusals: Mapping[str, XGetError]) -> NoAccount:
        """The earliest of the refusals that say when; else why the first owner has no account."""
        later = [error for error in refusals.values() if isinstance(error, TooMany)]
        if not later:
            first = next(iter(refusals.values()), None)
            return NoAccount(first.detail if first else "There is no usable account for this task.", None)
        error = min(later, key=self._available_at)
        told, when = told_of(error), self._available_at(error)
        if told.get("waits-for") == "lease":
            # The lease's end is its latest end: another execution gives it back after its page.
            when = min(when, self._clock.now() + TURN)
        return NoAccount(_none_of(told) or error.detail, when, accounts=int(told.get("then", 0)))

    def _available_at(self, error: TooMany) -> datetime:
        try:
            return datetime.fromisoformat(told_of(error)["available-at"]).astimezone(UTC)
        except (KeyError, ValueError):
            return self._clock.now() + timedelta(seconds=max(1, error.retry_after))


def _none_of(told: Mapping[str, str]) -> str:
    """That there is no room, as a sentence; "" when the service did not say of how many accounts."""
    if "accounts" not in told:
        return ""
    if told.get("waits-for") == "money":
        return f"None of {told['accounts']} accounts may spend this month what the next page may cost."
    return f"None of {told['accounts']} accounts has room now."


def told_of(error: XGetError) -> dict[str, str]:
    """What a service said beside its refusal."""
    return dict(error.metadata) if isinstance(error, RpcError) else {}
