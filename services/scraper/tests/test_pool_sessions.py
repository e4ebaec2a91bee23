"""Sessions over gRPC: leases of accounts and proxies, against servicers in memory."""

# ruff: noqa: N802 - methods are named as the protos name them

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from xget.account.v1 import account_pool_pb2 as accounts_pb
from xget.account.v1 import account_pool_pb2_grpc as accounts_grpc
from xget.proxy.v1 import proxy_pool_pb2 as proxies_pb
from xget.proxy.v1 import proxy_pool_pb2_grpc as proxies_grpc
from xget_kernel.clock import SystemClock
from xget_kernel.errors import NotFound, PreconditionFailed, TooMany
from xget_rpc.client import RpcChannel
from xget_rpc.server import RpcServer
from xget_sandbox.app import Options, Sandbox
from xget_scraper.adapters.grpc import GrpcPools, GrpcSessions
from xget_scraper.ports import Tenant
from xget_sources.ports import NoAccount, Outcome
from xget_sources.x.client import XClient

TENANT = Tenant(
    execution_id="run-1",
    platform="x",
    pool_owners=("ada", "root"),
    account_id=None,
    sticky_account_id=None,
    proxy_id=None,
)
OUTCOME = Outcome(operation="Search", status=200, body_kind="json", remaining=3, reset_at=datetime.now(UTC))

BROKEN = Outcome(operation="Search", status=0, body_kind="empty", error_text="ReadError")
GOOD = Outcome(operation="Search", status=200, body_kind="json")


class Accounts(accounts_grpc.AccountPoolServicer):
    """One account; `refusals` are raised first, by owner."""

    def __init__(self) -> None:
        self.asked: list[accounts_pb.AcquireRequest] = []
        self.calls: list[str] = []
        self.refusals: dict[str, Exception] = {}
        self.proxy_id = ""
        self.cookies = {"ct0": "c"}
        self.action = ""

    async def Acquire(self, request: accounts_pb.AcquireRequest, context: Any) -> accounts_pb.AcquireResponse:
        self.asked.append(request)
        if request.owner_id in self.refusals:
            raise self.refusals[request.owner_id]
        self.calls.append("acquire")
        expires = Timestamp()
        expires.FromDatetime(datetime.now(UTC) + timedelta(seconds=request.ttl_seconds))
        lease = accounts_pb.Lease(
            lease_id=f"a1.{len(self.asked)}", fencing_token=len(self.asked), account_id="a1", username="ada",
            cookies=self.cookies, proxy_id=self.proxy_id, expires_at=expires,
        )  # fmt: skip
        return accounts_pb.AcquireResponse(lease=lease)

    async def Report(self, request: accounts_pb.ReportRequest, context: Any) -> accounts_pb.ReportResponse:
        if "report" in self.refusals:
            raise self.refusals["report"]
        self.calls.append(f"report {request.status}" + ", back" * request.release)
        return accounts_pb.ReportResponse(verdict="go_on", action=self.action)

    async def Renew(self, request: accounts_pb.RenewRequest, context: Any) -> accounts_pb.RenewResponse:
        self.calls.append("renew")
        return accounts_pb.RenewResponse()

    async def Release(self, request: accounts_pb.ReleaseRequest, context: Any) -> accounts_pb.ReleaseResponse:
        self.calls.append("release")
        return accounts_pb.ReleaseResponse()

    async def Describe(self, request: accounts_pb.DescribeRequest, context: Any) -> accounts_pb.DescribeResponse:
        if (request.owner_id, request.account_id) != ("root", "a1"):
            raise NotFound("There is no such account.")
        return accounts_pb.DescribeResponse(account_id="a1")


class Proxies(proxies_grpc.ProxyPoolServicer):
    """Proxies by owner; `any_exists` for those who have resting ones."""

    def __init__(self) -> None:
        self.by_owner: dict[str, str] = {}
        self.resting = False
        self.wishes: list[str] = []
        self.avoided: list[list[str]] = []
        self.released: list[str] = []
        self.urls: dict[str, str] = {}
        self.reports: list[bool] = []
        self.told: list[proxies_pb.ReportRequest] = []

    async def Acquire(self, request: proxies_pb.AcquireRequest, context: Any) -> proxies_pb.AcquireResponse:
        self.wishes.append(request.proxy_id)
        self.avoided.append(list(request.avoid))
        if request.owner_id not in self.by_owner:
            headers = {"any_exists": "true"} if self.resting else {}
            raise NotFound("There is no proxy to use now.", headers=headers)
        proxy_id = request.proxy_id or self.by_owner[request.owner_id]
        if proxy_id in request.avoid:
            proxy_id = next((other for other in self.urls if other not in request.avoid), proxy_id)
        lease = f"p{len(self.wishes)}"
        url = self.urls.get(proxy_id, "http://127.0.0.1:8899")
        return proxies_pb.AcquireResponse(proxy_id=proxy_id, url=url, lease_id=lease)

    async def Report(self, request: proxies_pb.ReportRequest, context: Any) -> proxies_pb.ReportResponse:
        self.reports.append(request.ok)
        self.told.append(request)
        return proxies_pb.ReportResponse(status="ACTIVE")

    async def Release(self, request: proxies_pb.ReleaseRequest, context: Any) -> proxies_pb.ReleaseResponse:
        self.released.append(request.lease_id)
        return proxies_pb.ReleaseResponse()


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def proxies() -> Proxies:
    return Proxies()


@pytest.fixture
async def channel(accounts: Accounts, proxies: Proxies) -> AsyncIterator[RpcChannel]:
    server = RpcServer("127.0.0.1", 0, "inner")
    server.add(accounts_grpc.add_AccountPoolServicer_to_server, accounts, "xget.account.v1.AccountPool")
    server.add(proxies_grpc.add_ProxyPoolServicer_to_server, proxies, "xget.proxy.v1.ProxyPool")
    channel = RpcChannel(f"127.0.0.1:{await server.start()}", "inner")
    yield channel
    await channel.close()
    await server.stop(0)


@pytest.fixture
def sessions(channel: RpcChannel) -> GrpcSessions:
    return GrpcSessions(channel, channel, SystemClock(), 30)


async def test_a_lease_is_reported_released_once_and_sticky(sessions: GrpcSessions, accounts: Accounts) -> None:
    async with sessions.open(TENANT) as session:
        lease = await session.acquire("Search")
        assert (lease.account_id, lease.proxy_url, lease.cookies) == ("a1", None, {"ct0": "c"})
        assert await session.report(lease, OUTCOME) == "go_on"
        await session.release(lease)
        await session.release(lease)
        await session.acquire("Search")
    assert accounts.calls == ["acquire", "report 200", "release", "acquire", "release"]
    assert [asked.sticky_account_id for asked in accounts.asked] == ["", "a1"]
    assert {asked.holder for asked in accounts.asked} == {"run-1"}


async def test_a_last_report_gives_the_lease_back_and_one_that_fails_does_not(
    sessions: GrpcSessions, accounts: Accounts, proxies: Proxies
) -> None:
    proxies.by_owner = {"ada": "p-1"}
    last = msgspec.structs.replace(OUTCOME, last=True)
    async with sessions.open(TENANT) as session:
        lease = await session.acquire("Search")
        await session.report(lease, last)
        assert proxies.released == []
        await session.release(lease)
        assert proxies.released == ["p1"]
        lease = await session.acquire("Search")
        accounts.refusals["report"] = TooMany("not now")
        with pytest.raises(TooMany):
            await session.report(lease, last)
        await session.release(lease)
    assert accounts.calls == ["acquire", "report 200, back", "acquire", "release"]


async def test_a_lease_is_given_back_when_the_run_is_cancelled(sessions: GrpcSessions, accounts: Accounts) -> None:
    leased = asyncio.Event()

    async def run() -> None:
        async with sessions.open(TENANT) as session:
            await session.acquire("Search")
            leased.set()
            await asyncio.Event().wait()

    running = asyncio.create_task(run())
    await leased.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert accounts.calls[-1] == "release"


async def test_a_long_page_renews_its_lease(channel: RpcChannel, accounts: Accounts) -> None:
    class Fast(SystemClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds / 100)

    async with GrpcSessions(channel, channel, Fast(), 10).open(TENANT) as session:
        await session.acquire("Search")
        async with asyncio.timeout(60):
            while accounts.calls.count("renew") < 2:  # noqa: ASYNC110 - the servicer has no event to give
                await asyncio.sleep(0.01)


async def test_the_accounts_own_proxy_wins_over_the_tasks(
    sessions: GrpcSessions, accounts: Accounts, proxies: Proxies
) -> None:
    proxies.by_owner["ada"] = "best"
    tenant = Tenant(**{name: getattr(TENANT, name) for name in TENANT.__struct_fields__} | {"proxy_id": "task's"})
    async with sessions.open(tenant) as session:
        assert (await session.acquire("Search")).proxy_id == "task's"
        accounts.proxy_id = "own"
        lease = await session.acquire("Search")
        assert (lease.proxy_id, lease.proxy_url) == ("own", "http://127.0.0.1:8899")
        await session.report(lease, OUTCOME)
    assert proxies.reports == [True]


async def test_without_any_proxy_it_goes_direct_but_waits_for_resting_ones(
    sessions: GrpcSessions, accounts: Accounts, proxies: Proxies
) -> None:
    async with sessions.open(TENANT) as session:
        assert (await session.acquire("Search")).proxy_url is None
        proxies.resting = True
        with pytest.raises(NoAccount) as none:
            await session.acquire("Search")
    assert none.value.resume_at is not None
    assert accounts.calls == ["acquire", "acquire", "release", "release"]


async def test_a_wished_proxy_that_is_gone_never_means_direct(
    sessions: GrpcSessions, accounts: Accounts, proxies: Proxies
) -> None:
    accounts.proxy_id = "own"
    async with sessions.open(TENANT) as session:
        with pytest.raises(NoAccount):
            await session.acquire("Search")


async def test_the_administrators_pool_is_asked_after_the_owners(sessions: GrpcSessions, accounts: Accounts) -> None:
    accounts.refusals["ada"] = NotFound("There is no account of x to work with.")
    async with sessions.open(TENANT) as session:
        await session.acquire("Search")
        assert [asked.owner_id for asked in accounts.asked] == ["ada", "root"]
        accounts.refusals["root"] = NotFound("None either.")
        with pytest.raises(NoAccount, match="There is no account of x") as none:
            await session.acquire("Search")
    assert none.value.resume_at is None


async def test_full_pools_say_when_to_come_back(sessions: GrpcSessions, accounts: Accounts) -> None:
    when = datetime(2030, 1, 1, 14, 32, tzinfo=UTC)
    accounts.refusals["ada"] = TooMany("Full.", headers={"available-at": "2030-01-01T14:32:00Z", "waits-for": "rest"})
    accounts.refusals["root"] = NotFound("None.")
    async with sessions.open(TENANT) as session:
        with pytest.raises(NoAccount) as none:
            await session.acquire("Search")
        assert none.value.resume_at == when
        accounts.refusals["ada"] = TooMany(
            "Leased.", headers={"available-at": "2030-01-01T14:32:00Z", "waits-for": "lease"}
        )
        with pytest.raises(NoAccount) as soon:
            await session.acquire("Search")
    assert soon.value.resume_at is not None
    assert soon.value.resume_at < datetime.now(UTC) + timedelta(seconds=2)


async def test_a_report_under_an_old_lease_means_rest(sessions: GrpcSessions, accounts: Accounts) -> None:
    accounts.refusals["report"] = PreconditionFailed("The lease is over.")
    async with sessions.open(TENANT) as session:
        assert await session.report(await session.acquire("Search"), OUTCOME) == "rest"


async def test_pools_know_what_exists_for_whom(channel: RpcChannel) -> None:
    pools = GrpcPools(channel, channel)
    assert await pools.has_account("root", "a1")
    assert not await pools.has_account("ada", "a1")


async def test_the_page_goes_on_with_the_same_account_and_another_proxy(
    sessions: GrpcSessions, accounts: Accounts, proxies: Proxies
) -> None:
    proxies.by_owner["ada"] = "p1"
    async with sessions.open(TENANT) as session:
        lease = await session.acquire("Search")
        await session.report(lease, BROKEN)
        await session.release(lease)
        await session.release(lease)
        assert accounts.calls == ["acquire"], "the account knows of nothing and stays leased"
        proxies.by_owner["ada"] = "p2"
        again = await session.acquire("Search")
        assert (again.lease_id, again.proxy_id) == (lease.lease_id, "p2")
        await session.report(again, GOOD)
        await session.release(again)
    assert accounts.calls == ["acquire", "report 200", "release"]
    assert (proxies.avoided, proxies.reports, proxies.released) == ([[], ["p1"]], [False, True], ["p1", "p2"])


async def test_a_second_break_is_reported_and_ends_the_lease(
    sessions: GrpcSessions, accounts: Accounts, proxies: Proxies
) -> None:
    proxies.by_owner["ada"] = "p1"
    async with sessions.open(TENANT) as session:
        for _ in range(2):
            lease = await session.acquire("Search")
            await session.report(lease, BROKEN)
            await session.release(lease)
        assert accounts.calls == ["acquire", "report 0", "release"]


async def test_an_account_whose_page_is_given_up_is_given_back(
    sessions: GrpcSessions, accounts: Accounts, proxies: Proxies
) -> None:
    proxies.by_owner["ada"] = "p1"
    async with sessions.open(TENANT) as session:
        lease = await session.acquire("Search")
        await session.report(lease, BROKEN)
        await session.release(lease)
        other = await session.acquire("Followers")
        assert other.lease_id != lease.lease_id
        assert accounts.calls == ["acquire", "release", "acquire"]
        await session.report(other, msgspec.structs.replace(BROKEN, operation="Followers"))
        await session.release(other)
    assert accounts.calls[-1] == "release"


async def test_a_proxy_that_a_person_chose_is_not_replaced(
    sessions: GrpcSessions, accounts: Accounts, proxies: Proxies
) -> None:
    proxies.by_owner["ada"], accounts.proxy_id = "p1", "p9"
    async with sessions.open(TENANT) as session:
        lease = await session.acquire("Search")
        await session.report(lease, BROKEN)
        await session.release(lease)
    assert proxies.wishes == ["p9"]
    assert accounts.calls == ["acquire", "report 0", "release"]


@pytest.mark.slow
async def test_a_real_page_through_a_proxy_that_drops_it_comes_through_another(
    *,
    sessions: GrpcSessions,
    accounts: Accounts,
    proxies: Proxies,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ca = tmp_path / "ca.pem"
    async with Sandbox(Options(port=0, posts=300, ca_file=ca, exits=["http,drop"])) as sandbox:
        monkeypatch.setenv("SSL_CERT_FILE", str(ca))
        proxies.urls = {name: sandbox.exits.url(name) for name in ("drop", "http")}
        proxies.by_owner["ada"], accounts.cookies = "drop", {"ct0": "c" * 32, "auth_token": "t"}
        client = XClient(SystemClock())
        async with sessions.open(TENANT) as session:
            answer = await client.ask(session, lambda api: api.search_raw("AI", limit=20))
        await client.close()
    assert (answer.proxy_id, answer.requests) == ("http", 2)
    assert proxies.reports == [False, True]
    assert accounts.calls == ["acquire", "report 200, back"], "the account never noticed"


async def test_an_exit_that_the_platform_shuts_out_is_told_to_the_proxy_pool(
    sessions: GrpcSessions, accounts: Accounts, proxies: Proxies
) -> None:
    proxies.by_owner = {"ada": "p-1"}
    wall = Outcome(operation="Search", status=403, body_kind="html")
    async with sessions.open(TENANT) as session:
        lease = await session.acquire("Search")
        accounts.action = "rotate_proxy"
        assert await session.report(lease, wall) == "rotate_proxy"
        accounts.action = ""
        await session.report(lease, GOOD)
        accounts.refusals["report"] = TooMany("not now")
        with pytest.raises(TooMany):
            await session.report(lease, wall)
    assert [(told.platform, told.ok, told.refused) for told in proxies.told] == [
        ("x", True, True),
        ("x", True, False),
        ("x", True, False),
    ]
    assert proxies.told[0].error_text == "It answered 403 (html)."
    assert proxies.told[0].lease_id == "p1"
