"""Which token a lease asks with: an app's own, or a user's, renewed when it is about to end."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import structs

from xget_sources.ports import ApiCredential, Lease, Session
from xget_sources.x.parser.values import as_count, as_text

_EARLY: Final = timedelta(seconds=90)
Post = Callable[[Lease, dict[str, str], dict[str, str]], Awaitable[tuple[int, dict[str, Any]]]]
"""Sends a form with headers to the token endpoint: status and decoded body."""


class Refused(Exception):
    """X does not renew the user's token: somebody has to allow it again."""


async def token_of(lease: Lease, session: Session, post: Post, now: datetime) -> str:
    """The bearer token for a request. Raises Refused.

    A refresh token is good once. The new pair is stored before the new access token is used for anything, so that of a
    process that dies only what X answered in that moment can be lost.
    """
    api = lease.api or ApiCredential()
    if api.bearer_token:
        return api.bearer_token
    if api.access_token and api.access_expires_at and api.access_expires_at - _EARLY > now:
        return api.access_token
    if not api.refresh_token:
        raise Refused("the account has no token for X's API")
    fresh = await _renewed(lease, api, post, now)
    await session.keep(lease, fresh)
    return fresh.access_token or ""


async def _renewed(lease: Lease, api: ApiCredential, post: Post, now: datetime) -> ApiCredential:
    form = {"grant_type": "refresh_token", "refresh_token": api.refresh_token or "", "client_id": api.client_id or ""}
    headers = {}
    if api.client_secret:
        pair = f"{api.client_id}:{api.client_secret}".encode()
        headers["authorization"] = f"Basic {b64encode(pair).decode()}"
    status, body = await post(lease, form, headers)
    access, refresh = as_text(body.get("access_token")), as_text(body.get("refresh_token"))
    if status != 200 or access is None:
        raise Refused(as_text(body.get("error_description")) or f"HTTP {status} from the token endpoint")
    lives = as_count(body.get("expires_in")) or 7200
    return structs.replace(
        api,
        access_token=access,
        refresh_token=refresh or api.refresh_token,
        access_expires_at=now + timedelta(seconds=lives),
    )
