"""The gateway before services that die and return, and on a Redis that does."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx2 as httpx
import msgspec
import pytest

from xget_cache.house import CacheHouse
from xget_cache.opening import open_cache
from xget_cache.redis import connection
from xget_kernel.breaker import REST_SECONDS, Breaker
from xget_kernel.clock import ManualClock
from xget_kernel.engines import EngineSettings
from xget_kernel.errors import StartupError
from xget_kernel.ids import new_id
from xget_standalone.gateway import forward, readiness
from xget_standalone.gateway.app import Gateway, create_gateway
from xget_standalone.gateway.config import GatewayConfig, RateLimiting, default_path, load
from xget_standalone.gateway.readiness import Readiness
from xget_testing.engines import OwnEngines
from xget_testing.tokens import TokenMaker
from xget_web.health import Degraded

PATH = "/api/v1/auth/login"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}"
Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Upstream:
    """A service on a port of its own that can die, return, and drop what it was sent."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[bytes] = []
        self.drop = 0
        self.body = OK
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def die(self) -> None:
        if self._server:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head.split(b"\r\n")[0])
                if self.drop:
                    self.drop -= 1
                    return
                writer.write(self.body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._open.discard(writer)
            writer.close()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    found = Upstream()
    await found.start()
    yield found
    await found.die()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No service and no Redis here is slow to answer: only this machine may be."""
    monkeypatch.setattr(readiness, "ASK_SECONDS", 60.0)
    for name in ("POOL_WAIT_SECONDS", "CONNECT_SECONDS", "ANSWER_SECONDS", "PING_SECONDS"):
        monkeypatch.setattr(connection, name, 60.0)


@pytest.fixture
async def house() -> AsyncIterator[CacheHouse]:
    found = await open_cache(EngineSettings(redis_url=None))
    yield found
    await found.close()


@asynccontextmanager
async def gateway(
    upstream: Upstream, house: CacheHouse, config: GatewayConfig | None = None, ready: list[str] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    async def found() -> list[str]:
        return ready or []

    made = Gateway(
        config or load(default_path()),
        upstream=lambda _: f"http://127.0.0.1:{upstream.port}",
        verifier=TokenMaker().verifier(),
        house=house,
        open_mode=False,
        ready=found,
    )
    app = create_gateway(made)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
    ):
        yield client


def limited(hour: int) -> GatewayConfig:
    config = load(default_path())
    plugins = {"rate-limiting": RateLimiting(hour=hour, limit_by="ip")}
    return msgspec.structs.replace(config, routes=[msgspec.structs.replace(r, plugins=plugins) for r in config.routes])


async def test_a_dead_service_is_answered_at_once_and_taken_up_again(
    upstream: Upstream, house: CacheHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()  # the breaker rests until we say so
    monkeypatch.setattr(forward, "Breaker", partial(Breaker, clock=clock))
    async with gateway(upstream, house) as client:
        assert (await client.get(PATH)).status_code == 200
        await upstream.die()
        for _ in range(5):
            answer = await client.post(PATH, content=b"{}")
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:xget:error:upstream_down")
            assert int(answer.headers["retry-after"]) >= 1
        monkeypatch.setattr(forward, "PAUSES", (300.0, 300.0))  # whoever still asked the service would wait a minute
        async with asyncio.timeout(60):
            for _ in range(50):
                assert (await client.get(PATH)).status_code == 503
        assert 'xget_breaker_state{peer="The auth service"} 2.0' in (await client.get("/metrics")).text
        assert "auth service does not answer" in (await client.get("/readyz")).json()["degraded"][0]
        await upstream.start()
        assert (await client.get(PATH)).status_code == 503, "it rests"
        clock.advance(REST_SECONDS * 1.2)
        assert (await client.get(PATH)).status_code == 200
        assert (await client.get("/readyz")).json() == {"status": "ready", "reasons": []}
        assert 'xget_breaker_state{peer="The auth service"} 0.0' in (await client.get("/metrics")).text


async def test_a_service_that_restarts_quickly_is_not_noticed(upstream: Upstream, house: CacheHouse) -> None:
    async with gateway(upstream, house) as client:
        await client.get(PATH)
        await upstream.die()
        await asyncio.sleep(0.05)
        again = asyncio.get_running_loop().call_later(0.005, lambda: asyncio.ensure_future(upstream.start()))
        assert (await client.post(PATH, content=b"{}")).status_code == 200
        again.cancel()


async def test_what_was_sent_is_repeated_only_if_that_is_safe(upstream: Upstream, house: CacheHouse) -> None:
    async with gateway(upstream, house) as client:
        upstream.drop = 1
        assert (await client.post(PATH, content=b"{}")).status_code == 503
        assert len(upstream.requests) == 1
        upstream.drop = 1
        assert (await client.get(PATH)).status_code == 200
        assert len(upstream.requests) == 3
        upstream.drop = 1
        assert (await client.delete(PATH)).status_code == 503
        assert len(upstream.requests) == 4


async def test_errors_of_a_service_are_its_answers(upstream: Upstream, house: CacheHouse) -> None:
    upstream.body = OK.replace(b"200 OK", b"503 Busy")
    async with gateway(upstream, house) as client:
        assert {(await client.get(PATH)).text for _ in range(10)} == {"{}"}
    assert len(upstream.requests) == 10


async def test_readiness_passes_on_what_is_degraded(upstream: Upstream, house: CacheHouse) -> None:
    ready = [Degraded("storage: Search is away.")]
    async with gateway(upstream, house, ready=ready) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ready", "reasons": [], "degraded": ["storage: Search is away."]}
        ready.append("scraper: does not answer")
        assert (await client.get("/readyz")).status_code == 503


async def test_degraded_services_are_asked_and_still_count_as_ready(upstream: Upstream) -> None:
    body = b'{"status":"ready","degraded":["Search is away."]}'
    upstream.body = OK.replace(b"length: 2", b"length: %d" % len(body)).replace(b"{}", body)
    readiness = Readiness({"storage": f"http://127.0.0.1:{upstream.port}"})
    assert (await readiness.reasons(), await readiness.found()) == ([], ["storage: Search is away."])
    await upstream.die()
    assert await readiness.reasons() == ["storage: does not answer"]


async def test_workers_of_this_process_tell_what_they_miss_once(upstream: Upstream) -> None:
    body = b'{"status":"ready","degraded":["Search is away."]}'
    upstream.body = OK.replace(b"length: 2", b"length: %d" % len(body)).replace(b"{}", body)
    missed = {"storage-worker": ["Search is away."], "scraper-worker": ["The account service does not answer."]}
    readiness = Readiness({"storage": f"http://127.0.0.1:{upstream.port}"}, lambda: missed)
    assert await readiness.reasons() == []
    assert await readiness.found() == [
        "storage: Search is away.",
        "scraper-worker: The account service does not answer.",
    ]


async def test_counters_in_redis_need_a_redis(upstream: Upstream, house: CacheHouse) -> None:
    config = load(default_path())
    plugins = {**config.plugins, "rate-limiting": RateLimiting(minute=1, policy="redis")}
    with pytest.raises(StartupError, match="REDIS_URL"):
        async with gateway(upstream, house, msgspec.structs.replace(config, plugins=plugins)):
            pytest.fail("started")


@pytest.mark.connected("redis")
async def test_two_gateways_share_a_limit_and_no_token_is_kept(upstream: Upstream, redis_url: str) -> None:
    settings = EngineSettings(redis_url=redis_url, redis_prefix=f"test-{new_id()}")
    houses = [await open_cache(settings) for _ in range(2)]
    try:
        async with gateway(upstream, houses[0], limited(5)) as one, gateway(upstream, houses[1], limited(5)) as two:
            answers = [await client.get(PATH) for client in (one, two) * 4]
        assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 3
        left = [answer.headers["ratelimit-remaining"] for answer in answers if answer.status_code == 200]
        assert sorted(left) == ["0", "1", "2", "3", "4"]
    finally:
        for house in houses:
            await house.close()


@pytest.mark.slow
@pytest.mark.connected("redis")
async def test_without_its_redis_the_gateway_counts_by_itself_and_says_so(upstream: Upstream, tmp_path: Path) -> None:
    with OwnEngines("gateway") as engines:
        urls = await asyncio.to_thread(engines.start, "redis")
        house = await open_cache(EngineSettings(redis_url=urls["redis"]))
        try:
            async with gateway(upstream, house, limited(1000)) as client:
                assert (await client.get("/readyz")).json() == {"status": "ready", "reasons": []}
                await asyncio.to_thread(engines.kill, "redis")
                assert {(await client.get(PATH)).status_code for _ in range(20)} == {200}
                degraded = await client.get("/readyz")
                assert degraded.status_code == 200
                assert "REDIS_URL" in degraded.json()["degraded"][0]
                await asyncio.to_thread(engines.start, "redis")
                began = time.monotonic()
                while "degraded" in (await client.get("/readyz")).json():
                    assert time.monotonic() - began < 120
                    await asyncio.sleep(0.2)
        finally:
            await house.close()
