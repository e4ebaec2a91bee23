"""Redis."""

from __future__ import annotations

from datetime import UTC, datetime

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError

from xget_kernel.engines import EngineSettings, masked
from xget_standalone.probes.answers import Answer, Silent


async def probe(settings: EngineSettings, seconds: float) -> Answer:
    """Ask for version and time. Raises Silent."""
    url = settings.redis_url.reveal() if settings.redis_url else ""
    try:
        client = Redis.from_url(url, socket_connect_timeout=seconds, socket_timeout=seconds)
    except ValueError as error:
        raise Silent("REDIS_URL is no URL of Redis: write it like redis://:password@host:6379/0.") from error
    try:
        seconds_now, micros = await client.time()
        found = await client.info("server")
    except TypeError as error:
        raise Silent("REDIS_URL has an option that does not exist: take it out.") from error
    except AuthenticationError as error:
        raise Silent(f"Redis at {masked(url)} refuses the login: correct the password in REDIS_URL.") from error
    except (RedisError, OSError, TimeoutError) as error:
        raise Silent(f"Redis at {masked(url)} does not answer: start it, or correct REDIS_URL.") from error
    finally:
        await client.aclose()
    version = found.get("valkey_version") or found.get("redis_version") or ""
    return Answer(version=str(version), now=datetime.fromtimestamp(seconds_now + micros / 1e6, UTC))
