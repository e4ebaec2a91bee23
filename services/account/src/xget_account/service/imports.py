"""Takes accounts from files: each line is created, updated or refused with a reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, get_args

from xget_account.models import NEEDS_LOGIN, NEW, RETIRED, SECRETS, Account
from xget_account.repository import AccountRepository
from xget_account.schemas import ImportLine, ImportOutcome, ImportRequest, ImportResult
from xget_account.service.accounts import blank_row, renew
from xget_account.service.api_access import FRESH_TOKENS
from xget_account.service.importing import FIELDS, Found, Reading, Refused
from xget_account.service.life import Life
from xget_account.service.state import LOGS_IN, NO_COOKIES, NO_TOKENS
from xget_account.service.vault import Vault, cookie_text, given_text
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.secrets import SecretUnreadable

PLATFORM, API_PLATFORM = "x", "x_api"
_WORKS: Final = {"status": NEW, "error_msg": None, "next_step": ""}
NO_MONEY: Final = "It may spend nothing yet: `xget accounts api NAME --monthly-budget USD` says how much."
CONFLICT: Final = "The account has another {} already: nothing was taken. Import it with `update` to replace that."


class ImportService:
    """The import, within one transaction: either all that is reported is stored, or nothing."""

    def __init__(self, accounts: AccountRepository, vault: Vault, clock: Clock, life: Life) -> None:
        self._life = life
        self._accounts = accounts
        self._vault = vault
        self._clock = clock

    async def run(self, wish: ImportRequest, reading: Reading, caller: Caller) -> ImportResult:
        """Store the accounts of a file that was read for the caller."""
        found = [record for record in reading.records if isinstance(record, Found)]
        known: dict[tuple[str, str], Account] = {}
        for platform in sorted({_platform(record) for record in found}):
            keys = [record.username.casefold() for record in found if _platform(record) == platform]
            named = await self._accounts.by_username(caller.user_id, platform, keys)
            known |= {(platform, key): account for key, account in named.items()}
        fresh: list[dict[str, Any]] = []
        lines: list[ImportLine] = []
        for record in reading.records:
            if isinstance(record, Refused):
                lines.append(_refused(record))
                continue
            account = known.get((_platform(record), record.username.casefold()))
            if account is None:
                row = self._made(record, wish, caller)
                fresh.append(row)
                lines.append(_created(record, row["id"]))
            else:
                lines.append(self._meet(account, record, wish, caller))
        await self._accounts.take_in(fresh)
        await self._life.note_made(fresh, by="import")
        return _result(reading, lines)

    def _made(self, record: Found, wish: ImportRequest, caller: Caller) -> dict[str, Any]:
        """The row of an account that there was none of."""
        row = blank_row(caller.user_id, _platform(record), record.username, self._clock)
        row |= self._values(row["id"], record, wish.proxy_id)
        if record.cookies:
            row["cookies"] = self._vault.sealed(row["id"], "cookies", cookie_text(record.cookies))
        if record.api:
            row |= {"api": self._vault.sealed(row["id"], "api", given_text(record.api)), "login_method": "API"}
        return row | _WORKS if record.cookies or record.api else row

    def _meet(self, account: Account, record: Found, wish: ImportRequest, caller: Caller) -> ImportLine:
        """A line of an account that there is: what it lacks is taken, what it has is replaced if that is wished."""
        news, clashes = self._compare(account, record)
        if wish.proxy_id and account.proxy_id != wish.proxy_id:
            (clashes if account.proxy_id else news).append("proxy_id")
        if not news and not clashes:
            return _taken(record, account, "unchanged")
        if clashes and not wish.update:
            return _taken(record, account, "conflict", CONFLICT.format(", ".join(clashes)))
        for name, value in self._values(account.id, record, wish.proxy_id).items():
            setattr(account, name, value)
        account.rev, account.updated_at = (account.rev or 0) + 1, self._clock.now()
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

    def _values(self, account_id: str, record: Found, proxy_id: str | None) -> dict[str, Any]:
        """Columns that the record gives the account, besides cookies and tokens."""
        found: dict[str, Any] = {
            name: self._vault.sealed(account_id, name, value) if name in SECRETS else value
            for name, value in record.values.items()
        }
        if proxy_id:
            found["proxy_id"] = proxy_id
        if record.cookies and "login_method" not in found:
            found["login_method"] = "TWITTER" if "password" in found else "COOKIES"
        return found


def _platform(record: Found) -> str:
    return API_PLATFORM if record.api else PLATFORM


def _created(record: Found, account_id: str) -> ImportLine:
    reason = NO_MONEY if record.api else "" if record.cookies else LOGS_IN
    return ImportLine(
        line=record.line, outcome="created", username=record.username, account_id=account_id, reason=reason
    )


def _taken(record: Found, account: Account, outcome: ImportOutcome, conflict: str = "") -> ImportLine:
    """The answer to a line of an account that there is."""
    without = LOGS_IN if account.password else NO_COOKIES
    secret, lacking = (account.api, NO_TOKENS) if record.api else (account.cookies, without)
    reason = conflict or (lacking if secret is None else "")
    if not account.active:
        reason = f"It is switched off. {reason}".strip()
    return ImportLine(
        line=record.line, outcome=outcome, username=account.username, account_id=account.id, reason=reason
    )


def _refused(record: Refused) -> ImportLine:
    name = record.username if record.username.isprintable() else ""
    return ImportLine(line=record.line, outcome="refused", username=name[:64], account_id=None, reason=record.reason)


def _result(reading: Reading, lines: Sequence[ImportLine]) -> ImportResult:
    counts = {kind: sum(line.outcome == kind for line in lines) for kind in get_args(ImportOutcome)}
    unknown = list(reading.unknown_columns)
    known = list(FIELDS) if unknown else []
    return ImportResult(
        format=reading.format, lines=list(lines), unknown_columns=unknown, known_columns=known, **counts
    )
