"""Which token a lease asks with: an app's own, or a user's, renewed when it is about to end."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import structs

from xget_kernel.clock import Clock
from xget_sources.ports import ApiCredential, Lease, Session
from xget_sources.x.parser.values import as_count, as_text

_EARLY: Final = timedelta(seconds=90)
Post = Callable[[Lease, dict[str, str], dict[str, str]], Awaitable[tuple[int, dict[str, Any]]]]
"""Sends a form with headers to the token endpoint: status and decoded body."""


class Refused(Exception):
    """X does not renew the user's token: somebody has to allow it again.

    `lost`: a renewal was begun before and never finished, so that it is X's newest token that is missing.
    """

    def __init__(self, detail: str, *, lost: bool = False) -> None:
        super().__init__(detail)
        self.lost = lost


class Tokens:
    """Finds the token for a request. One per process: it remembers pairs that could not be stored yet.

    A refresh token is good once. That a renewal begins is stored before X is asked, and the new pair before its access
    token is used for anything. So of a process that dies only a pair is lost that X gave in that moment, and that is
    known. A pair whose storing failed is stored by this process with the account's next lease.
    """

    def __init__(self, post: Post, clock: Clock) -> None:
        self._post = post
        self._clock = clock
        self._unkept: dict[str, tuple[str, ApiCredential]] = {}
        """By account: the refresh token that was spent, and what X gave for it."""

    async def of(self, lease: Lease, session: Session) -> str:
        """The bearer token for a request. Raises Refused."""
        api, now = lease.api or ApiCredential(), self._clock.now()
        if api.bearer_token:
            return api.bearer_token
        if api.access_token and api.access_expires_at and api.access_expires_at - _EARLY > now:
            return api.access_token
        if not api.refresh_token:
            raise Refused("the account has no token for X's API")
        spent, fresh = self._unkept.get(lease.account_id, ("", api))
        if spent != api.refresh_token:
            begun = api.access_token is None and api.access_expires_at is not None
            await session.keep(lease, structs.replace(api, access_token=None, access_expires_at=now))
            fresh = await self._renewed(lease, api, now, begun=begun)
            self._unkept[lease.account_id] = (api.refresh_token, fresh)
        await session.keep(lease, fresh)
        self._unkept.pop(lease.account_id, None)
        return fresh.access_token or ""

    async def _renewed(self, lease: Lease, api: ApiCredential, now: datetime, *, begun: bool) -> ApiCredential:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": api.refresh_token or "",
            "client_id": api.client_id or "",
        }
        headers = {}
        if api.client_secret:
            pair = f"{api.client_id}:{api.client_secret}".encode()
            headers["authorization"] = f"Basic {b64encode(pair).decode()}"
        status, body = await self._post(lease, form, headers)
        access, refresh = as_text(body.get("access_token")), as_text(body.get("refresh_token"))
        if status != 200 or access is None:
            told = as_text(body.get("error_description")) or f"HTTP {status} from the token endpoint"
            raise Refused(told, lost=begun)
        lives = as_count(body.get("expires_in")) or 7200
        return structs.replace(
            api,
            access_token=access,
            refresh_token=refresh or api.refresh_token,
            access_expires_at=now + timedelta(seconds=lives),
        )
