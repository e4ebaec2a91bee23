"""Engines of one test: killed, started again, and gone with the process that asked for them."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from xget_testing.engines import COMMAND, OwnEngines
from xget_testing.waiting import eventually

pytestmark = [pytest.mark.slow]
OWNER = "import time; from xget_testing.engines import OwnEngines; e = OwnEngines('orphan')"


@pytest.mark.connected("postgres", "redis")
async def test_an_engine_that_was_killed_comes_back_with_what_it_had_confirmed() -> None:
    with OwnEngines() as own:
        urls = own.start("postgres", "redis")
        connection = await asyncpg.connect(urls["postgres"])
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        own.kill("postgres")
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            await connection.execute("SELECT 1")
        connection.terminate()
        assert own.start("postgres") == urls
        connection = await asyncpg.connect(urls["postgres"])
        assert await connection.fetchval("SELECT number FROM kept") == 7
        await connection.close()
        async with Redis.from_url(urls["redis"]) as redis:
            assert await redis.ping()
    own.stop()


@pytest.mark.connected("postgres")
async def test_a_wrong_password_is_refused(postgres_url: str) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres_url.replace("xget:", "xget:x", 1))


def test_an_engine_that_is_not_there_is_told_in_a_sentence() -> None:
    with OwnEngines() as own, pytest.raises(RuntimeError, match="No engine is called oracle"):
        own.start("oracle")


@pytest.mark.connected("redis")
def test_engines_end_with_a_process_that_is_killed(tmp_path: Path) -> None:
    code = f"{OWNER}; print(e.set, flush=True); print(e.start('redis')['redis'], flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path) as owner:
        assert owner.stdout
        name, url = owner.stdout.readline().strip(), owner.stdout.readline().strip()
        assert running(name) == {"redis": url}
        owner.send_signal(signal.SIGKILL)
    eventually(lambda: running(name) == {}, seconds=60)


def running(name: str) -> dict[str, str]:
    told = subprocess.run(
        [sys.executable, COMMAND, "urls", "--json", "--set", name], capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(told.stdout)
    return found
