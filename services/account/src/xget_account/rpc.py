"""AccountPool over gRPC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from xget.account.v1 import account_pool_pb2 as pb
from xget.account.v1.account_pool_pb2_grpc import AccountPoolServicer
from xget_account.errors import BadRequestField
from xget_account.models import API
from xget_account.service import Granted, LeaseService, Wish
from xget_account.service.api_access import Prices
from xget_account.service.granting import WINDOW
from xget_account.service.playbook import Answer, known_kind
from xget_rpc.fields import fence, word

SERVICE_NAME = "xget.account.v1.AccountPool"

Context = grpc.aio.ServicerContext[object, object]
_SHORTEST, _LONGEST, _USUAL = 5, 600, 60
WINDOW_SECONDS = round(WINDOW.total_seconds())
LONGEST_WAIT = 30
MOST_UNITS = 1000
_LONGEST_LEASE = 1000
_ANSWER_SECONDS = 0.25
"""What is left of a call's deadline for its refusal."""


class AccountPool(AccountPoolServicer):
    """Translates messages; errors of the service become status codes in the server."""

    def __init__(self, pool: LeaseService, prices: Prices) -> None:
        self._pool = pool
        self._prices = prices

    async def Acquire(self, request: pb.AcquireRequest, context: Context) -> pb.AcquireResponse:
        """Lease an account."""
        wish = Wish(
            owner_id=word(request.owner_id, "owner_id", 64, required=True),
            platform=word(request.platform, "platform", 32, required=True),
            operation=word(request.operation, "operation", 64, required=True),
            holder=word(request.holder, "holder", 128, required=True),
            account_id=word(request.account_id, "account_id"),
            sticky_account_id=word(request.sticky_account_id, "sticky_account_id"),
            priority=_priority(request.priority),
            immediate=request.immediate,
            task_id=word(request.task_id, "task_id"),
            requester_id=word(request.requester_id, "requester_id", 64),
            **self._costs(request),
        )
        wait = _wait(request.wait_seconds, context.time_remaining())
        return pb.AcquireResponse(lease=_lease(await self._pool.acquire(wish, _ttl(request.ttl_seconds), wait)))

    async def Report(self, request: pb.ReportRequest, context: Context) -> pb.ReportResponse:
        """Learn from an answer."""
        answer = Answer(
            operation=word(request.operation, "operation", 64, required=True),
            status=request.status,
            error_codes=frozenset(request.error_codes),
            body_kind=_kind(request.body_kind),
            limit=request.limit,
            remaining=request.remaining,
            reset_at=_time(request.reset_at) if request.HasField("reset_at") else None,
            has_data=request.has_data,
            outline=request.outline,
        )
        decision = await self._pool.report(
            *_newest(request),
            answer,
            request.error_text,
            units=request.units,
            release=request.release,
        )
        rule = decision.rule
        response = pb.ReportResponse(
            verdict=decision.verdict, action=decision.action, rule=rule.name, reason=rule.sentence
        )
        if decision.rest_until is not None:
            response.rest_until.FromDatetime(decision.rest_until)
        return response

    async def KeepApi(self, request: pb.KeepApiRequest, context: Context) -> pb.KeepApiResponse:
        """Store renewed tokens."""
        tokens = {"refresh_token": request.refresh_token, "access_token": request.access_token}
        until = _time(request.access_expires_at).isoformat()
        fresh = tokens | {"access_expires_at": until}
        await self._pool.keep_api(*_newest(request), fresh, request.replaces)
        return pb.KeepApiResponse()

    def _costs(self, request: pb.AcquireRequest) -> dict[str, Any]:
        """What the request may cost, of a wish for an official API."""
        if not request.platform.endswith(API):
            return {}
        price = {"posts": self._prices.post, "users": self._prices.user}.get(request.unit_kind)
        if price is None or not 0 <= request.units <= MOST_UNITS:
            raise BadRequestField("units", "range", f"units must be 0 to {MOST_UNITS}, of unit_kind posts or users.")
        return {
            "units": request.units,
            "unit_micros": price,
            "request_micros": self._prices.request,
            "archive": request.full_archive,
        }

    async def Renew(self, request: pb.RenewRequest, context: Context) -> pb.RenewResponse:
        """Prolong a lease."""
        until = await self._pool.renew(*_newest(request), _ttl(request.ttl_seconds))
        return pb.RenewResponse(expires_at=_stamp(until))

    async def Release(self, request: pb.ReleaseRequest, context: Context) -> pb.ReleaseResponse:
        """Give a lease back."""
        await self._pool.release(*_newest(request))
        return pb.ReleaseResponse()

    async def Describe(self, request: pb.DescribeRequest, context: Context) -> pb.DescribeResponse:
        """Tell whether an account exists for an owner."""
        owner_id, account_id = word(request.owner_id, "owner_id"), word(request.account_id, "account_id")
        account = await self._pool.describe(owner_id, account_id)
        return pb.DescribeResponse(
            account_id=account.id, username=account.username, platform=account.platform, status=account.status
        )

    async def Budget(self, request: pb.BudgetRequest, context: Context) -> pb.BudgetResponse:
        """Tell what the owner's accounts have left for an operation."""
        left = await self._pool.budget(
            word(request.owner_id, "owner_id", 64, required=True),
            word(request.platform, "platform", 32, required=True),
            word(request.operation, "operation", 64, required=True),
            word(request.account_id, "account_id"),
        )
        return pb.BudgetResponse(
            accounts=left.accounts,
            known=left.known,
            limit=left.limit,
            remaining=left.remaining,
            today=left.today,
            window_seconds=WINDOW_SECONDS,
            prices=_prices(self._prices) if request.platform.endswith(API) else None,
        )


def _lease(granted: Granted) -> pb.Lease:
    account = granted.account
    return pb.Lease(
        lease_id=granted.lease_id,
        fencing_token=account.fence,
        expires_at=_stamp(granted.expires_at),
        account_id=account.id,
        username=account.username,
        cookies=dict(granted.cookies),
        headers=account.headers,
        user_agent=account.user_agent or "",
        proxy_id=account.proxy_id or "",
        api=_api(granted.api),
        owner_id=account.owner_id,
    )


def _prices(prices: Prices) -> pb.Prices:
    return pb.Prices(post_micros=prices.post, user_micros=prices.user, request_micros=prices.request)


def _api(tokens: Mapping[str, Any] | None) -> pb.ApiCredential | None:
    if tokens is None:
        return None
    found = pb.ApiCredential(**{name: value for name, value in tokens.items() if name != "access_expires_at" and value})
    if until := tokens.get("access_expires_at"):
        found.access_expires_at.FromDatetime(datetime.fromisoformat(until))
    return found


def _newest(request: pb.ReportRequest | pb.KeepApiRequest | pb.RenewRequest | pb.ReleaseRequest) -> tuple[str, int]:
    """The lease that a call is about, and its fencing token."""
    return word(request.lease_id, "lease_id", _LONGEST_LEASE), fence(request.fencing_token)


def _kind(word: str) -> str:
    """What a body is. Which problem it is stands there in the platform's words: only a word is kept and shown."""
    return "problem" if word.startswith("problem:") and not known_kind(word) else word


def _ttl(seconds: int) -> int:
    if seconds == 0:
        return _USUAL
    if not _SHORTEST <= seconds <= _LONGEST:
        raise BadRequestField("ttl_seconds", "range", f"ttl_seconds must be {_SHORTEST} to {_LONGEST}, or 0.")
    return seconds


def _priority(number: int) -> int:
    if not 0 <= number <= 10:
        raise BadRequestField("priority", "range", "priority must be 1 (first) to 10 (last), or 0 for 5.")
    return number or 5


def _wait(seconds: int, left: float | None) -> float:
    """For how long a call may wait: it must answer before its deadline."""
    if not 0 <= seconds <= LONGEST_WAIT:
        raise BadRequestField("wait_seconds", "range", f"wait_seconds must be 0 to {LONGEST_WAIT}.")
    return seconds if left is None else max(0.0, min(seconds, left - _ANSWER_SECONDS))


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def _time(stamp: Timestamp) -> datetime:
    try:
        return stamp.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequestField("reset_at", "time", "reset_at is no time.") from error
