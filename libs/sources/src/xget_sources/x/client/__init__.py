"""Asking X one page at a time, through unmodified twscrape."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import msgspec

from xget_kernel.clock import Clock
from xget_sources.connections import Connections
from xget_sources.ports import NoAccount, Session, SourceStopped
from xget_sources.x.client.engine import API, silence
from xget_sources.x.client.judgement import Judgement, judge
from xget_sources.x.client.observation import Observation
from xget_sources.x.client.pool import LeasedPool
from xget_sources.x.cursors import CursorRefused

__all__ = ["Answer", "Ask", "XClient"]

Ask = Callable[[Any], AsyncIterator[Any] | Awaitable[Any]]
"""Calls one `*_raw` method of twscrape's API."""

_MAX_LEASES = 8
"""Accounts tried for one page; the session says sooner when there is none left."""
_MAX_AGAIN = 1
_PAUSE_SECONDS = 0.5


class Answer(msgspec.Struct, kw_only=True):
    """A good answer of X and what it took."""

    seen: Observation
    account_id: str
    proxy_id: str | None
    requests: int
    """GraphQL requests, failed ones included."""

    @property
    def payload(self) -> Any:
        """The decoded body."""
        return self.seen.payload


class XClient:
    """Asks X with leased accounts. One per process and event loop; `close` it."""

    def __init__(self, clock: Clock) -> None:
        silence()
        self._clock = clock
        self._headers: dict[str, dict[str, str]] = {}
        self.connections = Connections(clock)

    async def ask(self, session: Session, ask: Ask) -> Answer:
        """One page. Another account is tried when X refuses one; a broken answer is asked for once more.

        Raises NoAccount when the session lends none, SourceStopped when X gives no page.
        """
        requests, again = 0, 0
        verdict = Judgement("stop", "source_error", "X gave no answer.", retryable=True)
        for _ in range(_MAX_LEASES):
            pool = LeasedPool(session, self.connections, self._clock, self._headers)
            try:
                await self._run(pool, ask)
            except NoAccount:
                if verdict.reason == "blocked" or verdict.unknown:
                    break  # the route is shut, or nobody knows what X says: no wait for an account would mend it
                raise
            requests += len(pool.answers)
            if not pool.answers or pool.lease is None:
                break
            verdict = judge(pool.answers[-1])
            said_twice = verdict.action == "again" and again >= _MAX_AGAIN and pool.answers[-1].has_data
            if verdict.action == "use" or said_twice:
                lease = pool.lease
                return Answer(
                    seen=pool.answers[-1], account_id=lease.account_id, proxy_id=lease.proxy_id, requests=requests
                )
            if verdict.action == "again":
                again += 1
                if again > _MAX_AGAIN:
                    break
                await self._clock.sleep(_PAUSE_SECONDS * random.uniform(0.5, 1.5))
            if verdict.action == "stop":
                break
        if verdict.bad_request:
            raise CursorRefused(verdict.reason, verdict.detail)
        raise SourceStopped(verdict.reason, verdict.detail, retryable=verdict.retryable)

    async def close(self) -> None:
        """Close pooled connections."""
        await self.connections.close()

    async def _run(self, pool: LeasedPool, ask: Ask) -> None:
        """Let twscrape make one request. What it yields or raises after an answer is nothing the answer did not say."""
        try:
            asked = ask(API(pool))
            if isinstance(asked, AsyncIterator):
                async with aclosing(asked) as pages:  # type: ignore[type-var] # twscrape's are generators
                    async for _ in pages:
                        break
            else:
                await asked
        except Exception:  # whatever twscrape makes of an answer, the answer itself is judged
            if not pool.answers:
                raise
        finally:
            await pool.close()
