"""Takes accounts from files: each line is created, updated or refused with a reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from xget_account.models import NEEDS_LOGIN, NEW, RETIRED, SECRETS, Account
from xget_account.repository import AccountRepository
from xget_account.schemas import ImportLine, ImportRequest, ImportResult
from xget_account.service.accounts import blank, refresh, renew
from xget_account.service.api_access import FRESH_TOKENS, blank_access
from xget_account.service.importing import Found, Refused, read
from xget_account.service.life import Life
from xget_account.service.state import NO_COOKIES, NO_TOKENS
from xget_account.service.vault import Vault
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.secrets import SecretUnreadable

PLATFORM, API_PLATFORM = "x", "x_api"
OUTCOMES: Final = ("created", "updated", "unchanged", "conflict", "refused")
NO_MONEY: Final = "It may spend nothing yet: `xget accounts api NAME --monthly-budget USD` says how much."
CONFLICT: Final = "The account has another {} already: nothing was taken. Import it with `update` to replace that."


class ImportService:
    """The import, within one transaction: either all that is reported is stored, or nothing."""

    def __init__(self, accounts: AccountRepository, vault: Vault, clock: Clock, life: Life) -> None:
        self._life = life
        self._accounts = accounts
        self._vault = vault
        self._clock = clock

    async def run(self, wish: ImportRequest, caller: Caller) -> ImportResult:
        """Read a file and store its accounts for the caller. Raises BadLineFormat (422)."""
        reading = read(wish.text, format=wish.format, line_format=wish.line_format, username=wish.username)
        found = [record for record in reading.records if isinstance(record, Found)]
        known: dict[tuple[str, str], Account] = {}
        for platform in sorted({_platform(record) for record in found}):
            keys = [record.username.casefold() for record in found if _platform(record) == platform]
            named = await self._accounts.by_username(caller.user_id, platform, keys)
            known |= {(platform, key): account for key, account in named.items()}
        fresh: list[Account] = []
        lines: list[ImportLine] = []
        for record in reading.records:
            if isinstance(record, Refused):
                lines.append(_refused(record))
                continue
            account = known.get((_platform(record), record.username.casefold()))
            if account is None:
                account = blank(caller.user_id, _platform(record), record.username, self._clock)
                fresh.append(account)
                self._take(account, record, wish.proxy_id)
                if record.cookies:
                    refresh(account, dict(record.cookies), self._vault)
                if record.api:
                    self._vault.give_api(account, record.api)
                    account.login_method, account.status, account.error_msg, account.next_step = "API", NEW, None, ""
                lines.append(_taken(record, account, "created"))
            else:
                lines.append(self._meet(account, record, wish, caller))
        await self._accounts.add(fresh)
        await self._accounts.add_accesses([blank_access(account) for account in fresh if account.api is not None])
        for account in fresh:
            told = {"username": account.username, "platform": account.platform, "by": "import"}
            self._life.note(account, "account.created", told)
        return _result(reading.format, lines)

    def _meet(self, account: Account, record: Found, wish: ImportRequest, caller: Caller) -> ImportLine:
        """A line of an account that there is: what it lacks is taken, what it has is replaced if that is wished."""
        news, clashes = self._compare(account, record)
        if wish.proxy_id and account.proxy_id != wish.proxy_id:
            (clashes if account.proxy_id else news).append("proxy_id")
        if not news and not clashes:
            return _taken(record, account, "unchanged")
        if clashes and not wish.update:
            return _taken(record, account, "conflict", CONFLICT.format(", ".join(clashes)))
        self._take(account, record, wish.proxy_id)
        if record.cookies and "cookies" in (*news, *clashes):
            renew(account, dict(record.cookies), self._vault, self._life, caller.user_id)
        if record.api and "api" in (*news, *clashes):
            self._vault.give_api(account, record.api)
            account.login_method, account.rest_until = "API", None
            if account.status != RETIRED:
                self._life.move(account, NEW, reason=FRESH_TOKENS, by=caller.user_id)
        taken = sorted({*news, *clashes})
        if plain := [name for name in taken if name not in SECRETS]:
            self._life.note(account, "account.updated", {"changed": dict.fromkeys(plain), "by": "import"})
        if secret := [name for name in taken if name in SECRETS]:
            self._life.note(account, "account.secrets_replaced", {"secrets": secret, "by": "import"})
        return _taken(record, account, "updated")

    def _compare(self, account: Account, record: Found) -> tuple[list[str], list[str]]:
        """Fields of the record that the account lacks (or cannot be used any more), and those that it has otherwise."""
        news, clashes = list[str](), list[str]()
        for name, value in record.values.items():
            has = self._held(account, name)
            if has != value:
                (clashes if has else news).append(name)
        if record.cookies:
            has_cookies = self._held(account, "cookies")
            if has_cookies is None or json.loads(has_cookies) != dict(record.cookies):
                waits = has_cookies is None or account.status == NEEDS_LOGIN
                (news if waits else clashes).append("cookies")
        if record.api:
            has_api = self._given_api(account)
            if has_api != dict(record.api):
                (news if has_api is None or account.status == NEEDS_LOGIN else clashes).append("api")
        return news, clashes

    def _given_api(self, account: Account) -> dict[str, str] | None:
        """The tokens that were given last; None also when their key is lost."""
        try:
            return self._vault.given_api(account)
        except SecretUnreadable:
            return None

    def _held(self, account: Account, name: str) -> str | None:
        """A value of the account; None also for a secret whose key is lost."""
        if name not in SECRETS:
            plain: str | None = getattr(account, name)
            return plain
        try:
            return self._vault.open(account, name)
        except SecretUnreadable:
            return None

    def _take(self, account: Account, record: Found, proxy_id: str | None) -> None:
        values = dict(record.values)
        for name in ("password", "email_password", "totp"):
            if name in values:
                self._vault.seal(account, name, values[name])
        account.email = values.get("email", account.email)
        account.user_agent = values.get("user_agent", account.user_agent)
        account.proxy_id = proxy_id or account.proxy_id
        if record.cookies:
            account.login_method = "TWITTER" if "password" in values else "COOKIES"
        account.rev = (account.rev or 0) + 1
        account.updated_at = self._clock.now()


def _platform(record: Found) -> str:
    return API_PLATFORM if record.api else PLATFORM


def _taken(record: Found, account: Account, outcome: str, conflict: str = "") -> ImportLine:
    secret, lacking = (account.api, NO_TOKENS) if record.api else (account.cookies, NO_COOKIES)
    reason = conflict or (lacking if secret is None else "")
    if record.api and outcome == "created":
        reason = NO_MONEY
    if not account.active:
        reason = f"It is switched off. {reason}".strip()
    return ImportLine.model_validate(
        {
            "line": record.line,
            "outcome": outcome,
            "username": account.username,
            "account_id": account.id,
            "reason": reason,
        }
    )


def _refused(record: Refused) -> ImportLine:
    name = record.username if record.username.isprintable() else ""
    return ImportLine(line=record.line, outcome="refused", username=name[:64], account_id=None, reason=record.reason)


def _result(format: str, lines: Sequence[ImportLine]) -> ImportResult:
    counts = {kind: sum(line.outcome == kind for line in lines) for kind in OUTCOMES}
    return ImportResult(format=format, lines=list(lines), **counts)
