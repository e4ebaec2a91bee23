"""What `open_cache` says of a wrong REDIS_URL, and that it never shows a password."""

import asyncio
import socket

import pytest
from redis.asyncio import Redis

from xget_cache.opening import open_cache
from xget_kernel.clock import Clock, ManualClock
from xget_kernel.engines import EngineSettings
from xget_kernel.errors import StartupError


def on(url: str) -> EngineSettings:
    return EngineSettings(redis_url=url)


class Hurried(ManualClock):
    """Nobody waits: what is slept is passed."""

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)


async def refusal(url: str, clock: Clock | None = None) -> str:
    with pytest.raises(StartupError) as refused:
        await open_cache(on(url), clock)
    sentence = str(refused.value)
    assert "REDIS_URL" in sentence
    assert "geheim" not in sentence
    assert sentence.count("\n") == 0
    return sentence


async def test_without_a_url_it_is_in_memory_and_never_degraded() -> None:
    house = await open_cache(EngineSettings(redis_url=None))
    assert (house.engine, await house.degraded(), await house.ping()) == ("memory", None, 0.0)
    await house.close()


@pytest.mark.parametrize(
    "url",
    [
        "somewhere",
        "http://geheim@127.0.0.1:1",
        "redis://:geheim@127.0.0.1:port",
        "redis://u:geheim@h:1/0?db=x",
        "redis://u:geheim@h:1/name",
        "redis://u:geheim@h:1/0?unknown=1",
        "geheim@",
    ],
)
async def test_what_is_no_url_is_refused_at_once(url: str) -> None:
    assert "redis://user:password@host:6379/0" in await refusal(url)


async def test_an_unreachable_one_is_waited_for_and_then_refused() -> None:
    clock = Hurried()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sentence = await refusal(f"redis://:geheim@127.0.0.1:{taken.getsockname()[1]}/0", clock)
    assert "does not answer" in sentence
    assert "********@127.0.0.1" in sentence
    assert 8 < clock.monotonic() <= 10


@pytest.mark.connected("redis")
async def test_one_that_comes_up_late_is_waited_for(valkey) -> None:
    opening = asyncio.create_task(open_cache(on(valkey.url)))
    await asyncio.sleep(0.7)
    await valkey.start()
    house = await opening
    assert 0 < await house.ping() < 60
    await house.close()


@pytest.mark.connected("redis")
async def test_wrong_credentials_missing_rights_and_replicas_are_told(valkey) -> None:
    await valkey.start("--requirepass", "richtig")
    place = f"127.0.0.1:{valkey.port}/0"
    assert "credentials" in await refusal(f"redis://{place}")
    assert "credentials" in await refusal(f"redis://:geheim@{place}")
    assert "credentials" in await refusal(f"redis://nobody:geheim@{place}")
    assert "no database" in await refusal(f"redis://:richtig@127.0.0.1:{valkey.port}/99")
    async with Redis.from_url(f"redis://:richtig@{place}") as client:
        await client.execute_command(
            "ACL", "SETUSER", "reader", "on", ">geheim", "~*", "+@read", "+info", "+@connection"
        )
        assert "does not allow" in await refusal(f"redis://reader:geheim@{place}")
        await client.execute_command("REPLICAOF", "127.0.0.1", "1")
        assert "replica" in await refusal(f"redis://:richtig@{place}")


@pytest.mark.connected("redis")
async def test_each_node_of_a_cluster_is_refused_at_once(valkey) -> None:
    another = valkey.another()
    try:
        await valkey.start_as_cluster(0, 8191)
        await another.start_as_cluster(8192, 16383, beside=valkey)
        for node in (valkey, another):
            sentence = await refusal(f"redis://127.0.0.1:{node.port}/0")
            assert "Redis Cluster" in sentence
            assert "one server" in sentence
    finally:
        another.kill()
