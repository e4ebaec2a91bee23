"""twscrape's accounts pool, answered from the leases of a session: no database, one lease per call."""

from __future__ import annotations

import asyncio

import httpx

from xget_kernel.clock import Clock
from xget_sources.connections import Connections
from xget_sources.ports import Lease, Session
from xget_sources.x.client.engine import (
    Account,
    AccountsPool,
    HttpClient,
    HttpError,
    HttpStatusError,
    XClIdAccountError,
    XClIdError,
    XClIdGenStore,
)
from xget_sources.x.client.observation import Observation, broken
from xget_sources.x.client.observer import ObservingClient

_SIGN_SECONDS = 30.0


class LeasedAccount(Account):  # type: ignore[misc] # twscrape is untyped
    """A lease in twscrape's words; its HTTP client is the observer."""

    def __init__(self, lease: Lease, observer: ObservingClient | None = None) -> None:
        super().__init__(
            username=lease.account_id,  # twscrape keys its caches by it, and names of accounts stay out of its log
            password="",
            email="",
            email_password="",
            user_agent=lease.user_agent or "@chrome",
            active=True,
            headers=dict(lease.headers),
            cookies=dict(lease.cookies),
            proxy=lease.proxy_url,
        )
        self.observer = observer

    async def browser_headers(self) -> dict[str, str]:
        """The headers that twscrape would send for this account."""
        plain: HttpClient = super().make_client()
        try:
            return {name: value for name, value in dict(plain.headers).items() if name.lower() != "cookie"}
        finally:
            await plain.aclose()

    def resolve_proxy(self, proxy: str | None = None) -> str | None:
        """The lease's proxy and no other: an environment variable must not divert an account."""
        return str(self.proxy) if self.proxy else None

    def make_client(self, proxy: str | None = None) -> HttpClient:
        """The observer, whatever the proxy: the lease names it."""
        assert self.observer is not None  # noqa: S101 - set by the pool before twscrape sees the account
        return self.observer


class LeasedPool(AccountsPool):  # type: ignore[misc] # twscrape is untyped
    """Lends twscrape one lease for one call; a second request for an account ends the call."""

    def __init__(
        self, session: Session, connections: Connections, clock: Clock, known_headers: dict[str, dict[str, str]]
    ) -> None:
        self._session = session
        self._connections = connections
        self._clock = clock
        self._known_headers = known_headers
        self._operation = ""
        self._early: list[Observation] = []
        self._observer: ObservingClient | None = None
        self.lease: Lease | None = None

    @property
    def answers(self) -> list[Observation]:
        """What was observed in this call, in order."""
        return self._early + (self._observer.answers if self._observer else [])

    async def get_for_queue_or_wait(self, queue: str) -> LeasedAccount | None:
        """Lease an account for an operation, once; raises NoAccount."""
        if self.lease is not None:
            return None
        self._operation = queue
        lease = self.lease = await self._session.acquire(queue)
        account = LeasedAccount(lease)
        if account.has_session and not await self._sign(queue, account, lease):
            return None
        headers = await self._headers(account, lease)
        self._observer = ObservingClient(
            queue, lease, session=self._session, connections=self._connections, clock=self._clock, headers=headers
        )
        account.observer = self._observer
        return account

    async def lock_until(self, username: str, queue: str, unlock_at: int, req_count: int = 0) -> None:
        """The observer has reported why; the account service decides for how long."""
        await self.close()

    async def unlock(self, username: str, queue: str, req_count: int = 0) -> None:
        """The call is over."""
        await self.close()

    async def mark_inactive(self, username: str, error_msg: str | None) -> None:
        """Report what only twscrape saw: an account without the cookies of a login."""
        if self.lease is not None and not self.answers:
            why = error_msg or "refused"
            seen = broken(self._operation, why, fetched_at=self._clock.now(), duration_ms=0, status=401)
            self._early.append(seen)
            seen.verdict = await self._session.report(self.lease, seen.outcome)
        await self.close()

    async def close(self) -> None:
        """Give the lease back; twice is fine."""
        if self.lease is not None:
            await self._session.release(self.lease)

    async def _headers(self, account: LeasedAccount, lease: Lease) -> dict[str, str]:
        """twscrape's headers, composed once per account and session: it opens a client to do so."""
        key = repr((lease.account_id, lease.user_agent, lease.cookies.get("ct0"), sorted(lease.headers.items())))
        if key not in self._known_headers:
            if len(self._known_headers) >= 256:
                self._known_headers.clear()
            self._known_headers[key] = await account.browser_headers()
        return self._known_headers[key]

    async def _sign(self, queue: str, account: LeasedAccount, lease: Lease) -> bool:
        """Have twscrape read X's page and scripts for its transaction id before it needs one, and see what fails."""
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(_SIGN_SECONDS):
                await XClIdGenStore.get(account.username, proxy=account.proxy, cookies=account.cookies)
        except (XClIdError, HttpError, httpx.HTTPError, OSError, TimeoutError, ValueError, LookupError) as error:
            why = f"no transaction id: {type(error).__name__} {error}".strip()
            took = round((self._clock.monotonic() - started) * 1000)
            status = _status_of(error)
            walled = 400 <= status < 500 and status != 401
            kind = "logged_out" if status == 401 else "html" if walled else "no_transaction_id"
            seen = broken(queue, why, fetched_at=self._clock.now(), duration_ms=took, status=status, kind=kind)
            seen.blocked = walled
            self._early.append(seen)
            seen.verdict = await self._session.report(lease, seen.outcome)
            return False
        return True


def _status_of(error: Exception) -> int:
    """The HTTP status behind a failed transaction id; 401 for X's logged-out page, 200 for a page without what the id
    is made of, 0 when no answer came."""
    if isinstance(error, XClIdError):
        return 401 if isinstance(error, XClIdAccountError) else 200
    return int(error.response.status_code) if isinstance(error, HttpStatusError) else 0
