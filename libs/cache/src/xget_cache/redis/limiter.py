"""Counters in Redis, shared by all processes. A count whose answer was lost is not repeated, and may stand."""

from __future__ import annotations

from collections.abc import Sequence

from xget_cache.ports import Quota, Verdict
from xget_cache.redis import scripts
from xget_cache.redis.connection import RedisConnection
from xget_cache.redis.keys import Keys
from xget_cache.verdicts import judge


class RedisLimiter:
    """Windows are those of the server's clock."""

    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._take = connection.script(scripts.TAKE)

    async def take(self, subject: str, quotas: Sequence[Quota]) -> Verdict:
        """Raises CacheDown, CircuitOpen (503)."""
        keys = [self._keys.limit(subject, quota.seconds) for quota in quotas]
        arguments = [number for quota in quotas for number in (quota.limit, quota.seconds)]
        seconds, micros, *counts = await self._connection.once(lambda: self._take(keys=keys, args=arguments))
        return judge(quotas, counts, int(seconds) + int(micros) / 1_000_000)
