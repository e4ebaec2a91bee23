"""Servers and channels over real loopback sockets."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget.proxy.v1 import proxy_pool_pb2_grpc as pb_grpc
from xget_kernel import errors
from xget_kernel.caller import Caller
from xget_kernel.errors import StartupError
from xget_rpc.client import RpcChannel, RpcDeadline, RpcError, RpcInternal, RpcUnavailable
from xget_rpc.identity import caller_metadata, caller_of
from xget_rpc.server import RpcServer

SERVICE = "xget.proxy.v1.ProxyPool"
TOKEN = "internal-token"


class NoProxy(errors.NotFound):
    code = "no_proxy"
    title = "No proxy 没有代理"


class Pool(pb_grpc.ProxyPoolServicer):
    """Answers with whatever the test wants."""

    def __init__(self) -> None:
        self.behave: Callable[[Any], Awaitable[pb.AcquireResponse]] = self.fine
        self.calls = 0
        self.caller: Caller | None = None

    async def fine(self, _context: Any) -> pb.AcquireResponse:
        return pb.AcquireResponse()

    async def Acquire(self, request: Any, context: Any) -> Any:  # noqa: N802 -- generated name
        self.calls += 1
        self.caller = caller_of(context.invocation_metadata())
        return await self.behave(context)

    async def Report(self, request: Any, context: Any) -> Any:  # noqa: N802 -- generated name
        return pb.ReportResponse()

    async def Describe(self, request: Any, context: Any) -> Any:  # noqa: N802 -- generated name
        return pb.DescribeResponse()


@pytest.fixture
def pool() -> Pool:
    return Pool()


async def start(pool: Pool, port: int = 0) -> tuple[RpcServer, int]:
    server = RpcServer("127.0.0.1", port, TOKEN)
    server.add(pb_grpc.add_ProxyPoolServicer_to_server, pool, SERVICE)
    return server, await server.start()


@pytest.fixture
async def target(pool: Pool) -> AsyncIterator[str]:
    server, port = await start(pool)
    yield f"127.0.0.1:{port}"
    await server.stop(0)


@pytest.fixture
async def channel(target: str) -> AsyncIterator[RpcChannel]:
    found = RpcChannel(target, TOKEN)
    yield found
    await found.close()


async def acquire(channel: RpcChannel, **options: Any) -> Any:
    return await channel.stub(pb_grpc.ProxyPoolStub).Acquire(pb.AcquireRequest(), **options)


def failing(error: Exception) -> Callable[[Any], Awaitable[pb.AcquireResponse]]:
    async def fail(_context: Any) -> pb.AcquireResponse:
        raise error

    return fail


async def test_a_call_is_answered(channel: RpcChannel, pool: Pool) -> None:
    assert await acquire(channel) == pb.AcquireResponse()
    assert pool.caller is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.BadRequest("Bad."), errors.BadRequest),
        (errors.Unauthenticated("Who?"), errors.Unauthenticated),
        (errors.Forbidden("No."), errors.Forbidden),
        (NoProxy("Keiner da: 没有。"), errors.NotFound),
        (errors.Conflict("Twice."), errors.Conflict),
        (errors.PreconditionFailed("Old."), errors.PreconditionFailed),
        (errors.TooLarge("Long."), errors.TooLarge),
        (errors.Invalid("Wrong."), errors.Invalid),
        (errors.TooMany("Slow down.", retry_after=17), errors.TooMany),
        (errors.Unavailable("Later."), errors.Unavailable),
        (errors.Full("No room."), errors.Full),
    ],
)
async def test_errors_come_back_as_they_were_raised(
    channel: RpcChannel, pool: Pool, error: errors.XGetError, kind: type[errors.XGetError]
) -> None:
    pool.behave = failing(error)
    with pytest.raises(kind) as caught:
        await acquire(channel)
    found = caught.value
    assert isinstance(found, RpcError)
    assert (found.detail, found.status, found.code, found.title) == (
        error.detail,
        error.status,
        error.code,
        error.title,
    )
    assert found.metadata["xget-code"] == error.code
    assert pool.calls == 1


async def test_headers_of_an_error_travel(channel: RpcChannel, pool: Pool) -> None:
    pool.behave = failing(NoProxy("None.", headers={"Any-Exists": "true", "X-Note": "日\n"}))
    with pytest.raises(errors.NotFound) as caught:
        await acquire(channel)
    assert isinstance(caught.value, RpcError)
    assert caught.value.metadata["any-exists"] == "true"
    pool.behave = failing(errors.TooMany("Wait.", retry_after=17))
    with pytest.raises(errors.TooMany) as waiting:
        await acquire(channel)
    assert waiting.value.retry_after == 17
    assert waiting.value.headers["Retry-After"] == "17"


async def test_wrong_fields_travel_as_many_as_fit(channel: RpcChannel, pool: Pool) -> None:
    wrong = [errors.FieldError("cursor", "cursor", "Kein Zeiger: 不对。")]
    for given in (wrong, wrong * 1000, []):
        pool.behave = failing(errors.Invalid("Wrong.", errors=given))
        with pytest.raises(errors.Invalid) as caught:
            await acquire(channel)
        found = caught.value.errors
        assert found == tuple(given[: len(found)])
        assert len(found) == len(given) or len(found) > 20


async def test_unforeseen_failures_leak_nothing(channel: RpcChannel, pool: Pool) -> None:
    pool.behave = failing(RuntimeError("password=hunter2"))
    with pytest.raises(RpcInternal) as caught:
        await acquire(channel)
    assert caught.value.status == 500
    assert "hunter2" not in caught.value.detail + str(caught.value.metadata)


async def test_wrong_token_is_refused(target: str, pool: Pool) -> None:
    stranger = RpcChannel(target, "guess")
    with pytest.raises(errors.Unauthenticated):
        await acquire(stranger)
    await stranger.close()
    async with grpc.aio.insecure_channel(target) as plain:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await pb_grpc.ProxyPoolStub(plain).Acquire(pb.AcquireRequest())
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert pool.calls == 0


async def test_a_slow_call_ends_at_its_deadline(target: str, pool: Pool) -> None:
    async def slow(_context: Any) -> pb.AcquireResponse:
        await asyncio.sleep(30)
        return pb.AcquireResponse()

    pool.behave = slow
    channel = RpcChannel(target, TOKEN, deadline=0.2)
    with pytest.raises(RpcDeadline):
        await acquire(channel)
    with pytest.raises(RpcDeadline):
        await acquire(channel, timeout=0.1)
    await channel.close()


async def test_caller_travels_with_the_call(channel: RpcChannel, pool: Pool) -> None:
    caller = Caller("用户-1", frozenset({"admin", "viewer"}), "token")
    await acquire(channel, metadata=caller_metadata(caller))
    assert pool.caller == Caller("用户-1", frozenset({"admin", "viewer"}), "internal")


async def test_calls_survive_a_restart_of_the_server(pool: Pool) -> None:
    server, port = await start(pool)
    channel = RpcChannel(f"127.0.0.1:{port}", TOKEN)
    await acquire(channel)
    await server.stop(0)
    waiting = asyncio.create_task(acquire(channel, timeout=60))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    again, _ = await start(pool, port)
    assert await waiting == pb.AcquireResponse()
    await channel.close()
    await again.stop(0)


async def test_a_service_that_never_comes_is_unavailable_at_the_deadline(pool: Pool) -> None:
    server, port = await start(pool)
    await server.stop(0)
    channel = RpcChannel(f"127.0.0.1:{port}", TOKEN, deadline=0.5)
    with pytest.raises(RpcUnavailable) as caught:
        await acquire(channel)
    assert "does not answer" in caught.value.detail or "in time" in caught.value.detail
    await channel.close()


async def test_port_in_use_is_a_startup_error(target: str, pool: Pool) -> None:
    server = RpcServer("127.0.0.1", int(target.rpartition(":")[2]), TOKEN)
    with pytest.raises(StartupError, match="--port-base"):
        await server.start()
    await server.stop(0)


async def test_health_needs_no_token_and_reflection_lists_services(target: str) -> None:
    async with grpc.aio.insecure_channel(target) as plain:
        stub: Any = health_pb2_grpc.HealthStub(plain)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=SERVICE))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        reflect: Any = reflection_pb2_grpc.ServerReflectionStub(plain)
        question = reflection_pb2.ServerReflectionRequest(list_services="")
        call = reflect.ServerReflectionInfo(iter([question]), metadata=(("x-internal-token", TOKEN),))
        names = [s.name async for a in call for s in a.list_services_response.service]
    assert SERVICE in names


async def test_a_start_that_is_cancelled_leaves_neither_a_server_nor_a_complaint() -> None:
    """As when another part of the process refuses to start at that moment."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    for turns in range(1, 6):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = RpcServer("127.0.0.1", port, "inner")
        starting = asyncio.create_task(server.start())
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        if starting.cancelled():
            socket.create_server(("127.0.0.1", port)).close()
        else:
            await server.stop()
        del server, starting
        gc.collect()
        await asyncio.sleep(0.05)
    assert complaints == []
