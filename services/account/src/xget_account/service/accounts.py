"""People keep their accounts: list, add, change, remove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from xget_account.errors import AccountExists, AccountNotFound, NeedsCookies
from xget_account.models import ACTIVE, API, NEEDS_LOGIN, NEW, RETIRED, Account
from xget_account.repository import AccountRepository
from xget_account.schemas import AccountCreate, AccountFilter, AccountUpdate
from xget_account.service.importing.cookies import from_text, missing, usable
from xget_account.service.life import Life
from xget_account.service.state import NO_COOKIES, NO_TOKENS, View
from xget_account.service.vault import Vault
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.ids import new_id
from xget_kernel.pages import PageQuery

_PLAIN = ("email", "proxy_id", "user_agent", "daily_budget")
_NEVER_EMPTY = ("username", "login_method", "active", "headers")
_TOLD = ("username", "login_method", "active", "proxy_id", "daily_budget")
_SEALED = ("password", "email_password", "totp")
_NOTHING: Final[dict[str, Any]] = dict.fromkeys(Account.__table__.columns.keys()) | {
    "login_method": "TWITTER",
    "headers": {},
    "active": True,
    "status": NEEDS_LOGIN,
    "next_step": "import_cookies",
    "used_day": "",
    "used_today": 0,
    "turn": 0,
    "begun": 0,
    "fence": 0,
    "given_fence": -1,
    "lease_reports": 0,
    "rev": 1,
}
"""What a new account has of everything."""


class AccountService:
    """Use cases of accounts within one transaction. Rows of others are as if they were not there."""

    def __init__(
        self, accounts: AccountRepository, vault: Vault, clock: Clock, life: Life, *, daily_budget: int
    ) -> None:
        self._life = life
        self._accounts = accounts
        self._vault = vault
        self._clock = clock
        self._daily_budget = daily_budget

    async def page(self, caller: Caller, wanted: AccountFilter, page: PageQuery) -> tuple[Sequence[View], int]:
        """One page of the caller's accounts, and how many there are."""
        rows, total = await self._accounts.page(caller.owner_filter, wanted, page, self._clock.now())
        ledger = await self._accounts.ledger(account.id for account in rows)
        return [self._view(account, ledger.get(account.id, [])) for account in rows], total

    async def get(self, account_id: str, caller: Caller) -> View:
        """One account. Raises AccountNotFound (404)."""
        account = await self._mine(account_id, caller)
        return self._view(account, (await self._accounts.ledger([account.id])).get(account.id, []))

    async def create(self, body: AccountCreate, caller: Caller) -> View:
        """Add an account. Raises AccountExists (409) and NeedsCookies (422)."""
        cookies = checked_cookies(body.cookies) if body.cookies is not None else None
        key = body.username.casefold()
        if await self._accounts.by_username(caller.user_id, body.platform, [key]):
            raise AccountExists(body.username)
        account = blank(caller.user_id, body.platform, body.username, self._clock)
        account.login_method = body.login_method or ("COOKIES" if cookies else "TWITTER")
        account.active, account.headers = body.active, body.headers
        self._set_fields(account, body.model_dump(include={*_PLAIN, *_SEALED}))
        if cookies:
            refresh(account, cookies, self._vault)
        await self._accounts.add([account])
        self._life.note(account, "account.created", {"username": account.username, "platform": account.platform})
        return self._view(account, [])

    async def update(self, account_id: str, body: AccountUpdate, caller: Caller) -> View:
        """Change what the body names. Raises AccountNotFound (404), AccountExists (409), NeedsCookies (422)."""
        account = await self._mine(account_id, caller)
        changes = body.model_dump(exclude_unset=True)
        before = {name: getattr(account, name) for name in (*_PLAIN, *_NEVER_EMPTY)}
        await self._check_name(account, body.username)
        for name in _NEVER_EMPTY:
            if changes.get(name) is not None:
                setattr(account, name, changes[name])
        account.username_key = account.username.casefold()
        self._set_fields(account, changes)
        self._set_health(account, body, changes, caller)
        account.rev += 1
        account.updated_at = self._clock.now()
        await self._accounts.save(account)
        self._note_changes(account, before, changes)
        return await self.get(account_id, caller)

    async def delete(self, account_id: str, caller: Caller) -> None:
        """Remove an account; who works with it notices at its next page. Raises AccountNotFound (404)."""
        account = await self._mine(account_id, caller)
        self._life.note(account, "account.deleted", {"username": account.username, "platform": account.platform})
        await self._accounts.delete(account)

    async def owner_of(self, account_id: str, caller: Caller) -> str:
        """Whose account it is. Raises AccountNotFound (404)."""
        return (await self._mine(account_id, caller)).owner_id

    async def _mine(self, account_id: str, caller: Caller) -> Account:
        account = await self._accounts.get(account_id, caller.owner_filter)
        if account is None:
            raise AccountNotFound()
        return account

    async def _check_name(self, account: Account, username: str | None) -> None:
        key = (username or account.username).casefold()
        if key == account.username_key:
            return
        if await self._accounts.by_username(account.owner_id, account.platform, [key]):
            raise AccountExists(username or "")

    def _set_fields(self, account: Account, changes: dict[str, Any]) -> None:
        for name in changes.keys() & set(_PLAIN):
            setattr(account, name, changes[name])
        for name in changes.keys() & set(_SEALED):
            self._vault.seal(account, name, changes[name])

    def _note_changes(self, account: Account, before: dict[str, Any], changes: dict[str, Any]) -> None:
        """Names of what was changed; values only of what is no secret and names nobody."""
        changed = {
            name: [was, now] if name in _TOLD else None
            for name, was in before.items()
            if (now := getattr(account, name)) != was
        }
        if changed:
            self._life.note(account, "account.updated", {"changed": changed})
        if secrets := sorted(changes.keys() & {*_SEALED, "cookies"}):
            self._life.note(account, "account.secrets_replaced", {"secrets": secrets})

    def _set_health(self, account: Account, body: AccountUpdate, changes: dict[str, Any], caller: Caller) -> None:
        by = caller.user_id
        if body.cookies is not None:
            renew(account, checked_cookies(body.cookies), self._vault, self._life, by)
        elif "cookies" in changes:
            account.cookies = None
            if account.status != RETIRED:
                self._life.move(account, NEEDS_LOGIN, reason=NO_COOKIES, by=by)
        if body.status == ACTIVE:
            if account.cookies is None:
                raise NeedsCookies(NO_COOKIES, "status")
            self._life.move(account, ACTIVE, reason="A person declared it healthy.", by=by)
            account.rest_until = None

    def _view(self, account: Account, ledger: Sequence[Any]) -> View:
        return View(account, ledger, self._clock.now(), self._daily_budget)


def blank(owner_id: str, platform: str, username: str, clock: Clock) -> Account:
    """A new account that cannot work yet: it has no cookies."""
    return Account(**blank_row(owner_id, platform, username, clock))


def blank_row(owner_id: str, platform: str, username: str, clock: Clock) -> dict[str, Any]:
    """As `blank`, all of its columns by name."""
    now = clock.now()
    return _NOTHING | {
        "id": new_id(),
        "owner_id": owner_id,
        "platform": platform,
        "username": username,
        "username_key": username.casefold(),
        "error_msg": NO_TOKENS if platform.endswith(API) else NO_COOKIES,
        "created_at": now,
        "updated_at": now,
    }


def refresh(account: Account, cookies: dict[str, str], vault: Vault) -> None:
    """Store the first cookies of an account that is being made: it can work."""
    vault.seal_cookies(account, cookies)
    account.status, account.error_msg, account.next_step = NEW, None, ""


def renew(account: Account, cookies: dict[str, str], vault: Vault, life: Life, by: str) -> None:
    """Store fresh cookies of an account that there is: it is healthy again, unless it is retired."""
    vault.seal_cookies(account, cookies)
    account.rest_until = None
    if account.status != RETIRED:
        life.move(account, NEW, reason="It has fresh cookies.", by=by)


def checked_cookies(given: dict[str, str] | str) -> dict[str, str]:
    """Cookies that can be used. Raises NeedsCookies (422) when one of the two that X needs is not there."""
    cookies = from_text(given) if isinstance(given, str) else given
    lacking = missing(cookies)
    if lacking:
        raise NeedsCookies(lacking)
    return usable(cookies)
