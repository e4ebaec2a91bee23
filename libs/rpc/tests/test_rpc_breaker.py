"""Channels to services that die, hang, lose connections and return."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from xget.account.v1 import account_pool_pb2 as pb
from xget.account.v1 import account_pool_pb2_grpc as pb_grpc
from xget.storage.v1 import item_reader_pb2 as items_pb
from xget.storage.v1 import item_reader_pb2_grpc as items_grpc
from xget_kernel import errors
from xget_kernel.clock import ManualClock
from xget_rpc.client import RpcChannel, RpcDeadline, RpcUnavailable
from xget_rpc.server import RpcServer

TOKEN = "internal-token"
LONG = 600.0
"""A deadline that no machine is too slow for."""


class Accounts(pb_grpc.AccountPoolServicer):
    """Counts what arrives."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.behave: Callable[[], Awaitable[None]] = self.fine

    async def fine(self) -> None:
        return None

    async def Acquire(self, request: Any, context: Any) -> Any:  # noqa: N802 -- generated name
        self.arrived.append("Acquire")
        await self.behave()
        return pb.AcquireResponse()

    async def Renew(self, request: Any, context: Any) -> Any:  # noqa: N802 -- generated name
        self.arrived.append("Renew")
        await self.behave()
        return pb.RenewResponse()


class Items(items_grpc.ItemReaderServicer):
    async def Stream(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 -- generated name
        for _ in range(3):
            yield items_pb.StreamResponse()


class Wire:
    """A port in front of a server; cutting it loses what is under way, closing it refuses connections."""

    def __init__(self) -> None:
        self.port = 0
        self.behind = 0
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        for end in list(self._ends):
            end.transport.abort()

    async def close(self) -> None:
        if self._server:
            self._server.close()
            self.cut()
            await self._server.wait_closed()
            self._server = None

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.behind)
        ends = {writer, far_writer}
        self._ends |= ends
        with suppress(ConnectionError):
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._ends -= ends
        for end in ends:
            end.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
async def wire(accounts: Accounts) -> AsyncIterator[Wire]:
    server = RpcServer("127.0.0.1", 0, TOKEN)
    server.add(pb_grpc.add_AccountPoolServicer_to_server, accounts, "xget.account.v1.AccountPool")
    server.add(items_grpc.add_ItemReaderServicer_to_server, Items(), "xget.storage.v1.ItemReader")
    found = Wire()
    found.behind = await server.start()
    await found.open()
    yield found
    await found.close()
    await server.stop(0)


@pytest.fixture
def clock() -> ManualClock:
    """The channels' time: a breaker rests for as long as the test wants, however slow the machine is."""
    return ManualClock()


@pytest.fixture
async def channel(wire: Wire, clock: ManualClock) -> AsyncIterator[RpcChannel]:
    found = RpcChannel(f"127.0.0.1:{wire.port}", TOKEN, clock=clock)
    yield found
    await found.close()


@pytest.fixture
async def patient(wire: Wire, clock: ManualClock) -> AsyncIterator[RpcChannel]:
    found = RpcChannel(f"127.0.0.1:{wire.port}", TOKEN, clock=clock, patient=True)
    yield found
    await found.close()


@asynccontextmanager
async def passing(clock: ManualClock) -> AsyncIterator[None]:
    """Time goes on for the length of the block, and stands still after it."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(0.005)
            clock.advance(0.05)

    ticking = asyncio.create_task(tick())
    try:
        async with asyncio.timeout(60):
            yield
    finally:
        ticking.cancel()


async def acquire(channel: RpcChannel, **options: Any) -> Any:
    return await channel.stub(pb_grpc.AccountPoolStub).Acquire(pb.AcquireRequest(), **options)


async def renew(channel: RpcChannel, **options: Any) -> Any:
    return await channel.stub(pb_grpc.AccountPoolStub).Renew(pb.RenewRequest(), **options)


async def open_breaker(channel: RpcChannel, wire: Wire, clock: ManualClock) -> None:
    """Until it rests; then time stands still."""
    await wire.close()
    async with passing(clock):
        while channel.breaker.state != "open":
            with pytest.raises(RpcUnavailable):
                await renew(channel, timeout=1.5)
    assert channel.breaker.seconds_left > 0


async def test_calls_to_a_dead_service_are_refused_at_once_until_it_is_back(
    channel: RpcChannel, wire: Wire, clock: ManualClock
) -> None:
    await acquire(channel)
    await open_breaker(channel, wire, clock)
    for _ in range(50):
        with pytest.raises(RpcUnavailable) as refused:
            await acquire(channel)  # time stands still: whoever waited would wait for ever
        assert int(refused.value.headers["Retry-After"]) >= 1
    assert "does not answer" in (channel.breaker.trouble() or "")
    await wire.open()
    async with passing(clock):
        while True:
            with suppress(RpcUnavailable):
                await acquire(channel)
                break
            await clock.sleep(0.1)
    assert channel.breaker.state == "closed"


async def test_a_patient_channel_waits_for_the_service_instead(
    patient: RpcChannel, wire: Wire, clock: ManualClock
) -> None:
    await open_breaker(patient, wire, clock)
    waiting = [asyncio.create_task(acquire(patient, timeout=LONG)) for _ in range(5)]
    async with passing(clock):
        await clock.sleep(0.3)
    assert not any(task.done() for task in waiting)
    await wire.open()
    async with passing(clock):
        assert await asyncio.gather(*waiting) == [pb.AcquireResponse()] * 5


async def test_a_patient_call_ends_at_its_deadline(patient: RpcChannel, wire: Wire, clock: ManualClock) -> None:
    await open_breaker(patient, wire, clock)
    async with passing(clock):
        began = clock.monotonic()
        with pytest.raises(RpcUnavailable):
            await acquire(patient, timeout=0.5)
        assert clock.monotonic() - began < 1.5


@pytest.mark.parametrize(("call", "arrivals"), [(acquire, ["Acquire"]), (renew, ["Renew", "Renew"])])
async def test_what_was_sent_and_lost_is_repeated_only_if_the_proto_allows_it(
    channel: RpcChannel, *, wire: Wire, clock: ManualClock, accounts: Accounts, call: Any, arrivals: list[str]
) -> None:
    async def lose() -> None:
        accounts.behave = accounts.fine
        wire.cut()
        await asyncio.sleep(0.2)

    accounts.behave = lose
    async with passing(clock):
        if len(arrivals) == 1:
            with pytest.raises(RpcUnavailable):
                await call(channel, timeout=LONG)
        else:
            await call(channel, timeout=LONG)
    assert accounts.arrived == arrivals


async def test_a_service_that_hangs_opens_the_breaker_too(channel: RpcChannel, accounts: Accounts) -> None:
    async def hang() -> None:
        await asyncio.sleep(LONG)

    accounts.behave = hang
    for _ in range(5):
        with pytest.raises(RpcDeadline):
            await acquire(channel, timeout=0.1)
    with pytest.raises(RpcUnavailable) as refused:
        await acquire(channel, timeout=LONG)
    assert "Retry-After" in refused.value.headers, "refused by the breaker: nothing was sent that would hang"


async def test_a_service_that_says_no_is_there(channel: RpcChannel, accounts: Accounts) -> None:
    async def refuse() -> None:
        raise errors.Unavailable("The tables do not answer.")

    accounts.behave = refuse
    for _ in range(10):
        with pytest.raises(errors.Unavailable, match="tables"):
            await acquire(channel)
    assert channel.breaker.state == "closed"


async def test_streams_share_the_breaker(channel: RpcChannel, wire: Wire, clock: ManualClock) -> None:
    stub = channel.stub(items_grpc.ItemReaderStub)
    assert len([message async for message in stub.Stream(items_pb.StreamRequest())]) == 3
    await open_breaker(channel, wire, clock)
    with pytest.raises(RpcUnavailable) as refused:
        _ = [message async for message in stub.Stream(items_pb.StreamRequest())]
    assert "Retry-After" in refused.value.headers, "refused by the breaker: nothing was sent"
