"""Takes accounts from files: each line is created, updated or refused with a reason."""

from __future__ import annotations

from collections.abc import Sequence

from xget_account.models import Account
from xget_account.repository import AccountRepository
from xget_account.schemas import ImportLine, ImportRequest, ImportResult
from xget_account.service.accounts import blank, refresh, renew
from xget_account.service.importing import Found, Refused, read
from xget_account.service.life import Life
from xget_account.service.state import NO_COOKIES
from xget_account.service.vault import Vault
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock

PLATFORM = "x"


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
        keys = [record.username.casefold() for record in found]
        known = await self._accounts.by_username(caller.user_id, PLATFORM, keys)
        fresh: list[Account] = []
        lines: list[ImportLine] = []
        for record in reading.records:
            if isinstance(record, Refused):
                lines.append(_refused(record))
                continue
            account = known.get(record.username.casefold())
            outcome = "updated" if account else "created"
            if account is None:
                account = blank(caller.user_id, PLATFORM, record.username, self._clock)
                fresh.append(account)
                self._take(account, record, wish.proxy_id)
                if record.cookies:
                    refresh(account, dict(record.cookies), self._vault)
            else:
                self._take(account, record, wish.proxy_id)
                if record.cookies:
                    renew(account, dict(record.cookies), self._vault, self._life, caller.user_id)
            lines.append(_taken(record, account, outcome))
        await self._accounts.add(fresh)
        return _result(reading.format, lines)

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


def _taken(record: Found, account: Account, outcome: str) -> ImportLine:
    reason = NO_COOKIES if account.cookies is None else ""
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
    counts = {kind: sum(line.outcome == kind for line in lines) for kind in ("created", "updated", "refused")}
    return ImportResult(format=format, lines=list(lines), **counts)
