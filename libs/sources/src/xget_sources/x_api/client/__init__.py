"""Asking X's official API one page at a time."""

from __future__ import annotations

import asyncio
import random
from typing import Any, Final

import httpx
import msgspec
import orjson

from xget_kernel.clock import Clock
from xget_sources.connections import Connections
from xget_sources.ports import Lease, NoAccount, Session, SourceStopped, Spend
from xget_sources.x.client.traces import describe, request_span
from xget_sources.x_api.client.calls import HOST, Call
from xget_sources.x_api.client.judgement import BadRequest, Judgement, judge
from xget_sources.x_api.client.observation import LOST, Seen, broken, observe
from xget_sources.x_api.client.tokens import Refused, Tokens

__all__ = ["Answer", "ApiClient", "BadRequest", "Call"]

_MAX_LEASES: Final = 8
_MAX_AGAIN: Final = 1
_PAUSE_SECONDS: Final = 0.5
_MAX_BODY: Final = 16 * 1024 * 1024
_MAX_SECONDS: Final = 60.0
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.InvalidURL)


class Answer(msgspec.Struct, kw_only=True):
    """A good answer and what it took."""

    seen: Seen
    call: Call
    account_id: str
    proxy_id: str | None
    requests: int

    @property
    def payload(self) -> dict[str, Any]:
        """The decoded body."""
        return self.seen.payload or {}


class ApiClient:
    """Asks with leased accounts. One per process and event loop; `close` it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens = Tokens(self._renew, clock)
        self.connections = Connections(clock)

    async def ask(self, session: Session, call: Call) -> Answer:
        """One page. Another account is tried when X refuses one; a broken answer is asked for once more.

        Raises NoAccount when the session lends none, BadRequest, SourceStopped when X gives no page.
        """
        again = 0
        verdict = Judgement("stop", "source_error", "X's API gave no answer.", retryable=True)
        for requests in range(1, _MAX_LEASES + 1):
            try:
                spend = Spend(kind=call.kind, units=call.units, archive=call.archive)
                lease = await session.acquire(call.operation, spend=spend)
            except NoAccount:
                if verdict.reason == "blocked":  # it is the route that is shut, not the accounts that are spent
                    break
                raise
            try:
                seen = await self._with(lease, session, call)
            finally:
                await session.release(lease)
            verdict = judge(seen)
            if verdict.action == "use":
                return Answer(
                    seen=seen, call=call, account_id=lease.account_id, proxy_id=lease.proxy_id, requests=requests
                )
            if seen.outcome.status == 400:
                raise BadRequest(seen.says)
            again += verdict.action == "again"
            if verdict.action == "stop" or again > _MAX_AGAIN:
                break
            if verdict.action == "again":
                await self._clock.sleep(_PAUSE_SECONDS * random.uniform(0.5, 1.5))
        raise SourceStopped(verdict.reason, verdict.detail, retryable=verdict.retryable)

    async def close(self) -> None:
        """Close pooled connections."""
        await self.connections.close()

    async def _with(self, lease: Lease, session: Session, call: Call) -> Seen:
        """One request with one account, reported whatever comes."""
        with request_span(call.operation, "GET", HOST + call.path) as span:
            try:
                token = await self._tokens.of(lease, session)
            except Refused as refused:
                kind = f"/problems/{LOST}" if refused.lost else "about:blank"
                body = orjson.dumps({"title": "Unauthorized", "detail": f"{refused}", "type": kind, "status": 401})
                seen = observe(call, 401, {}, body, fetched_at=self._clock.now(), duration_ms=0)
            except (httpx.HTTPError, OSError, TimeoutError) as error:
                why = f"{type(error).__name__}: {error}"
                seen = broken(call, why, fetched_at=self._clock.now(), duration_ms=0, sent=False)
            else:
                seen = await self._send(lease, call, token)
            describe(span, seen.outcome)
        seen.verdict = await session.report(lease, msgspec.structs.replace(seen.outcome, last=True))
        return seen

    async def _send(self, lease: Lease, call: Call, token: str) -> Seen:
        started = self._clock.monotonic()
        headers = {"authorization": f"Bearer {token}", "user-agent": lease.user_agent or "xget"}
        try:
            async with asyncio.timeout(_MAX_SECONDS):
                response, body = await self._exchange(lease, "GET", HOST + call.path, headers, params=call.parameters)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            why = f"{type(error).__name__}: {error}".rstrip(": ")
            never = isinstance(error, _NEVER_SENT)
            return broken(call, why, fetched_at=self._clock.now(), duration_ms=self._since(started), sent=not never)
        took = self._since(started)
        return observe(
            call, response.status_code, response.headers, body, fetched_at=self._clock.now(), duration_ms=took
        )

    async def _renew(self, lease: Lease, form: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        async with asyncio.timeout(_MAX_SECONDS):
            response, body = await self._exchange(lease, "POST", f"{HOST}oauth2/token", headers, data=form)
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError:
            found = {}
        if response.status_code >= 500:
            raise httpx.RemoteProtocolError(f"the token endpoint answered with HTTP {response.status_code}")
        return response.status_code, found if type(found) is dict else {}

    async def _exchange(
        self, lease: Lease, method: str, url: str, headers: dict[str, str], **more: Any
    ) -> tuple[httpx.Response, bytes]:
        client = await self.connections.take(lease.account_id, lease.proxy_url)
        try:
            async with client.stream(method, url, headers=headers, **more) as response:
                chunks, size = [], 0
                async for chunk in response.aiter_bytes():
                    size += len(chunk)
                    if size > _MAX_BODY:
                        raise httpx.RemoteProtocolError("the answer is larger than 16 MB")
                    chunks.append(chunk)
            return response, b"".join(chunks)
        finally:
            await self.connections.give_back(lease.account_id, lease.proxy_url, client)

    def _since(self, started: float) -> int:
        return round((self._clock.monotonic() - started) * 1000)
