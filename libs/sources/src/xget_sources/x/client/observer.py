"""The HTTP client that twscrape is given: it observes every GraphQL answer and allows one good one per call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx
from msgspec import structs

from xget_kernel.clock import Clock
from xget_sources.connections import Connections
from xget_sources.ports import Lease, Session
from xget_sources.x.client.engine import AbortReqError, HttpClient, Response
from xget_sources.x.client.judgement import judge
from xget_sources.x.client.observation import Observation, broken, observe, variables_of
from xget_sources.x.client.traces import describe, request_span

MAX_BODY = 16 * 1024 * 1024
MAX_SECONDS = 90.0
_DROPPED_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class BodyTooLarge(Exception):
    """An answer beyond 16 MB."""


class ReadAnswer(Response):  # type: ignore[misc] # twscrape is untyped
    """An answer whose JSON is decoded already."""

    def __init__(self, raw: httpx.Response, payload: Any) -> None:
        super().__init__(raw)
        self._payload = payload

    def json(self) -> Any:
        if self._payload is None:
            raise json.JSONDecodeError("not JSON", "", 0)
        return self._payload


class ObservingClient(HttpClient):  # type: ignore[misc] # twscrape is untyped
    """Asks with the lease's connection, reports each answer to the session, and refuses to ask after a verdict."""

    backend = "httpx"

    def __init__(
        self,
        operation: str,
        lease: Lease,
        *,
        session: Session,
        connections: Connections,
        clock: Clock,
        headers: Mapping[str, str],
    ) -> None:
        self.answers: list[Observation] = []
        self._operation = operation
        self._lease = lease
        self._session = session
        self._connections = connections
        self._clock = clock
        self._headers = {**headers, "cookie": cookie_header(lease.cookies)}
        self._client: httpx.AsyncClient | None = None

    @property
    def cookies(self) -> Any:
        return dict(self._lease.cookies)

    @property
    def headers(self) -> Any:
        return self._headers

    async def request(self, method: str, url: str, **kwargs: Any) -> Response:
        """Ask once; again only after a 404, which makes twscrape renew its transaction id.

        Raises AbortReqError, which ends twscrape's call, where twscrape would sleep or repeat.
        """
        if self.answers and self.answers[-1].outcome.status != 404:
            raise AbortReqError
        with request_span(self._operation, method, url) as span:
            seen, raw = await self._ask(method, url, kwargs.get("params"), kwargs.get("headers") or {})
            describe(span, seen.outcome)
        self.answers.append(seen)
        # twscrape asks once more after a 404 alone
        told = structs.replace(seen.outcome, last=seen.outcome.status != 404)
        seen.verdict = await self._session.report(self._lease, told)
        if raw is None or judge(seen).action == "again":
            raise AbortReqError
        return ReadAnswer(raw, seen.payload)

    async def aclose(self) -> None:
        """Give the connection back to the pool."""
        if self._client is not None:
            client, self._client = self._client, None
            await self._connections.give_back(self._lease.account_id, self._lease.proxy_url, client)

    async def _ask(
        self, method: str, url: str, params: Any, headers: Mapping[str, str]
    ) -> tuple[Observation, httpx.Response | None]:
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(MAX_SECONDS):
                response, body = await self._fetch(method, url, params, {**self._headers, **headers})
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, BodyTooLarge, ImportError) as error:
            why = f"{type(error).__name__}: {error}".rstrip(": ")
            return broken(self._operation, why, fetched_at=self._clock.now(), duration_ms=self._since(started)), None
        seen = observe(
            self._operation,
            response.status_code,
            response.headers,
            body,
            variables=variables_of(params),
            fetched_at=self._clock.now(),
            duration_ms=self._since(started),
        )
        return seen, _rebuilt(response, body, spent=seen.has_data)

    async def _fetch(
        self, method: str, url: str, params: Any, headers: Mapping[str, str]
    ) -> tuple[httpx.Response, bytes]:
        if self._client is None:
            self._client = await self._connections.take(self._lease.account_id, self._lease.proxy_url)
        async with self._client.stream(method, url, params=params, headers=dict(headers)) as response:
            chunks, size = [], 0
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > MAX_BODY:
                    raise BodyTooLarge(f"the answer is larger than {MAX_BODY // 1024 // 1024} MB")
                chunks.append(chunk)
        return response, b"".join(chunks)

    def _since(self, started: float) -> int:
        return round((self._clock.monotonic() - started) * 1000)


def _rebuilt(response: httpx.Response, body: bytes, *, spent: bool) -> httpx.Response:
    """The answer for twscrape. With data in it, a remaining of 0 is hidden: twscrape would throw the page away."""
    headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in _DROPPED_HEADERS]
    if spent:
        headers = [(name, value) for name, value in headers if name.lower() != "x-rate-limit-remaining"]
    return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)


def cookie_header(cookies: Mapping[str, str]) -> str:
    """The cookies of a lease as one header; sent by hand, so that an answer's Set-Cookie cannot replace them."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
