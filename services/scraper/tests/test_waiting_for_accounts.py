"""Waiting for an account: in place while room is near, parked with a forecast else, woken when accounts come."""

# ruff: noqa: N802 - methods are named as the protos name them

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from xget.account.v1 import account_pool_pb2 as pb
from xget.account.v1 import account_pool_pb2_grpc as pb_grpc
from xget_contracts.events import ACCOUNT_EVENTS, AccountChanged
from xget_events.codec import message
from xget_events.log import EventLog
from xget_kernel.clock import SystemClock
from xget_kernel.errors import TooMany
from xget_rpc.client import RpcChannel
from xget_rpc.server import RpcServer
from xget_scraper.adapters.grpc.leasing import Leasing
from xget_scraper.ports import Tenant
from xget_sources.ports import NoAccount
from xget_testing.collecting import World

TENANT = Tenant(
    execution_id="run-1",
    platform="x",
    pool_owners=("ada",),
    account_id=None,
    sticky_account_id=None,
    proxy_id=None,
    task_id="t",
    requester_id="ada",
    priority=3,
    immediate=True,
)
SHARED = Tenant(
    execution_id="run-1",
    platform="x",
    pool_owners=("ada", "root"),
    account_id=None,
    sticky_account_id=None,
    proxy_id=None,
)


class Accounts(pb_grpc.AccountPoolServicer):
    """Refuses at once, and grants to who waits once `room` is set."""

    def __init__(self) -> None:
        self.asked: list[pb.AcquireRequest] = []
        self.released: list[str] = []
        self.room = asyncio.Event()
        self.expected, self.all_asked = 2, asyncio.Event()
        self.told = {"waits-for": "lease", "accounts": "7", "then": "3"}
        self.at = datetime.now(UTC) + timedelta(seconds=50)

    async def Acquire(self, request: pb.AcquireRequest, context: Any) -> pb.AcquireResponse:
        self.asked.append(request)
        if len(self.asked) >= self.expected:
            self.all_asked.set()
        if not request.wait_seconds:
            raise TooMany("None.", headers=self.told | {"available-at": self.at.isoformat()})
        await self.room.wait()
        expires = Timestamp()
        expires.FromDatetime(datetime.now(UTC))
        lease_id = f"{request.owner_id}.1"
        return pb.AcquireResponse(lease=pb.Lease(lease_id=lease_id, account_id=request.owner_id, expires_at=expires))

    async def Release(self, request: pb.ReleaseRequest, context: Any) -> pb.ReleaseResponse:
        self.released.append(request.lease_id)
        return pb.ReleaseResponse()


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
async def channel(accounts: Accounts) -> AsyncIterator[RpcChannel]:
    server = RpcServer("127.0.0.1", 0, "inner")
    server.add(pb_grpc.add_AccountPoolServicer_to_server, accounts, "xget.account.v1.AccountPool")
    channel = RpcChannel(f"127.0.0.1:{await server.start()}", "inner")
    yield channel
    await channel.close()
    await server.stop(0)


def leasing(channel: RpcChannel, tenant: Tenant = TENANT) -> Leasing:
    return Leasing(channel.stub(pb_grpc.AccountPoolStub), SystemClock(), tenant, 30)


async def test_a_lease_of_another_is_waited_for_in_place(channel: RpcChannel, accounts: Accounts) -> None:
    waits = asyncio.create_task(leasing(channel).lease("Search", "sticky"))
    await accounts.all_asked.wait()
    accounts.room.set()
    lease, owner = await waits
    assert (lease.account_id, owner) == ("ada", "ada")
    asked = accounts.asked[1]
    assert (asked.priority, asked.immediate, asked.task_id, asked.requester_id) == (3, True, "t", "ada")
    assert (asked.sticky_account_id, asked.wait_seconds) == ("sticky", 10)


async def test_of_several_pools_one_is_taken_and_the_others_are_given_back(
    channel: RpcChannel, accounts: Accounts
) -> None:
    accounts.expected = 4
    waits = asyncio.create_task(leasing(channel, SHARED).lease("Search", None))
    await accounts.all_asked.wait()
    accounts.room.set()
    _, owner = await waits
    left = [lease for lease in ("ada.1", "root.1") if lease != f"{owner}.1"]
    assert accounts.released in ([], left)


async def test_a_long_rest_is_not_waited_for_but_told(channel: RpcChannel, accounts: Accounts) -> None:
    accounts.told["waits-for"] = "rest"
    with pytest.raises(NoAccount) as none:
        await leasing(channel).lease("Search", None)
    assert len(accounts.asked) == 1
    assert (none.value.resume_at, none.value.accounts) == (accounts.at, 3)
    assert none.value.detail == "None of 7 accounts has room now."
    accounts.told["waits-for"] = "money"
    with pytest.raises(NoAccount, match="None of 7 accounts may spend this month what the next page may cost"):
        await leasing(channel).lease("Search", None)


@pytest.mark.slow
async def test_a_task_shows_when_it_resumes_and_goes_on_earlier_when_an_account_comes(
    world: World, log: EventLog
) -> None:
    resume_at = datetime.now(UTC) + timedelta(hours=1)
    refuses = True

    def refuse() -> None:
        if refuses:
            raise NoAccount("None of 7 accounts has room now.", resume_at, 3)

    world.sessions.refuse = refuse
    task = await world.create()
    async with world.worker():
        status = await world.once(task, lambda found: found["execution"]["resume_at"] is not None)
        assert status["message"] == f"None of 7 accounts has room now. It resumes {resume_at:%H:%M} UTC, 3 accounts."
        refuses = False
        fact = AccountChanged(
            account_id="a", owner_id=task["user_id"], platform="x", username="neo", kind="room",
            from_state="NEW", to_state="NEW", reason="It can work.", at=datetime.now(UTC),
        )  # fmt: skip
        await log.publish([message(ACCOUNT_EVENTS, "a", fact, source="account", now=datetime.now(UTC))])
        status = await world.until(task)
    assert status["status"] == "COMPLETED"
