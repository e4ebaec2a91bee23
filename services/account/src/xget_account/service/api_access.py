"""People give accounts tokens for a platform's official API, and say what they may spend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from xget_account.errors import AccountNotFound, NoApiAccount
from xget_account.models import API, NEEDS_LOGIN, NEW, Account, ApiAccess
from xget_account.repository import AccountRepository
from xget_account.repository.apps import AppRepository
from xget_account.repository.room import this_month
from xget_account.repository.spending import SpendingRepository
from xget_account.schemas.api import ApiRead, ApiWrite
from xget_account.service.apps import is_app_wide, key_of
from xget_account.service.life import Life
from xget_account.service.vault import Vault
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock

FRESH_TOKENS: Final = "It has fresh tokens for the official API."
MICROS: Final = 1_000_000
_CAPS: Final = {"app", "full_archive", "monthly_budget_usd", "monthly_results"}


@dataclass(frozen=True)
class Prices:
    """What an official API costs, in millionths of a dollar."""

    post: int
    user: int
    request: int

    @classmethod
    def usd(cls, post: float, user: float, request: float) -> Prices:
        """From dollars."""
        return cls(*(micros(Decimal(str(price))) for price in (post, user, request)))


def micros(dollars: Decimal) -> int:
    """Dollars in millionths."""
    return int((dollars * MICROS).to_integral_value(ROUND_HALF_UP))


class ApiAccessService:
    """Use cases of official-API accounts within one transaction."""

    def __init__(
        self,
        accounts: AccountRepository,
        spending: SpendingRepository,
        apps: AppRepository,
        vault: Vault,
        *,
        life: Life,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._apps = apps
        self._spending = spending
        self._vault = vault
        self._life = life
        self._clock = clock

    async def get(self, account_id: str, caller: Caller) -> ApiRead:
        """Plan, cap and month of an account. Raises AccountNotFound (404), NoApiAccount (409)."""
        account = await self._account(account_id, caller)
        access = await self._spending.get(account.id)
        return await self._read(account, access or blank_access(account))

    async def put(self, account_id: str, body: ApiWrite, caller: Caller) -> ApiRead:
        """Store tokens and limits; fresh tokens make the account healthy. Raises as `get`."""
        account = await self._account(account_id, caller)
        access = await self._spending.get(account.id)
        if access is None:
            access = blank_access(account)
            await self._spending.add(access)
        if body.full_archive is not None:
            access.full_archive = body.full_archive
        if body.monthly_budget_usd is not None:
            access.cap_micros = micros(body.monthly_budget_usd)
        if "monthly_results" in body.model_fields_set:
            access.cap_units = body.monthly_results
        if body.tokens:
            self._vault.give_api(account, body.tokens)
            account.login_method, account.rest_until = "API", None
            self._life.move(account, NEW, reason=FRESH_TOKENS, by=caller.user_id)
            self._life.note(account, "account.secrets_replaced", {"secrets": ["api"]})
        if caps := sorted(body.model_fields_set & _CAPS):
            self._life.note(account, "account.updated", {"changed": {name: str(getattr(body, name)) for name in caps}})
        account.rev += 1
        account.updated_at = self._clock.now()
        await self._accounts.save(account)
        if body.tokens or body.app is not None:
            await self._name_app(account, body.app)
        return await self._read(account, access)

    async def _name_app(self, account: Account, word: str | None) -> None:
        app = await self._apps.get(account.id) or self._apps.add(account.id)
        tokens = self._vault.open_api(account)
        app.app = app.app if word is None else word
        app.app_key, app.app_wide = key_of(account.owner_id, app.app, tokens), is_app_wide(tokens)

    async def _account(self, account_id: str, caller: Caller) -> Account:
        account = await self._accounts.get(account_id, caller.owner_filter)
        if account is None:
            raise AccountNotFound
        if not account.platform.endswith(API):
            raise NoApiAccount
        return account

    async def _read(self, account: Account, access: ApiAccess) -> ApiRead:
        now, app = self._clock.now(), await self._apps.get(account.id)
        fresh = access.month != this_month(now)
        spent, units = (0, 0) if fresh else (access.micros, access.units)
        return ApiRead(
            account_id=account.id,
            username=account.username,
            kind=_kind(self._vault.open_api(account)),
            full_archive=access.full_archive,
            app=app.app if app else "",
            shared_by=max(1, await self._apps.of_owner(app.app_key, account.owner_id) if app else 1),
            monthly_budget_usd=Decimal(access.cap_micros) / MICROS,
            monthly_results=access.cap_units,
            month=this_month(now),
            spent_usd=Decimal(spent) / MICROS,
            results=units,
            requests=0 if fresh else access.requests,
            sentence=_sentence(account, access, spent, units),
        )


def _kind(tokens: Mapping[str, Any] | None) -> str:
    if not tokens:
        return "none"
    return "bearer" if tokens.get("bearer_token") else "user"


def _sentence(account: Account, access: ApiAccess, spent: int, units: int) -> str:
    if account.status == NEEDS_LOGIN or account.api is None:
        return account.error_msg or "It has no token yet."
    if access.cap_units is not None and units >= access.cap_units:
        return "Its month's results are read: it goes on next month, or with a higher monthly_results."
    if spent >= access.cap_micros:
        why = "Its month's money is spent" if access.cap_micros else "It may spend nothing yet"
        return f"{why}: requests that cost wait for monthly_budget_usd to be higher, or for the next month."
    return f"May still spend {Decimal(access.cap_micros - spent) / MICROS:.2f} US dollars this month."


def blank_access(account: Account) -> ApiAccess:
    """What an account may spend before anybody has said so: nothing."""
    return ApiAccess(
        account_id=account.id, full_archive=False, cap_micros=0, cap_units=None, month="", units=0, micros=0,
        requests=0, held_fence=0, held_units=0, unit_micros=0,
    )  # fmt: skip
