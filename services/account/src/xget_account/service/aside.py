"""Accounts whose secrets no key opens: out of the choice until their key is back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from xget_account.models import ACTIVE, HEALTHY, NEEDS_LOGIN, Account
from xget_account.repository import LeaseRepository, PoolTables
from xget_account.service.life import KEYS, Life
from xget_account.service.vault import Vault
from xget_kernel.clock import Clock
from xget_kernel.secrets import SecretUnreadable
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

UNREADABLE: Final = (
    "Its cookies cannot be decrypted with the keys of this installation: give XGET_KEYS (or keys.json) its key back "
    "and start the account service anew, or import the cookies again."
)


class Aside:
    """Each use is one transaction; an account is looked at again in it."""

    def __init__(self, tables: PoolTables, vault: Vault, clock: Clock) -> None:
        self._tables = tables
        self._vault = vault
        self._clock = clock

    async def put(self, account_ids: Collection[str]) -> None:
        """Take those accounts out of the choice which can work, but for their secrets."""
        async with self._tables.work() as leases:
            accounts = await leases.accounts(account_ids)
            for account in accounts.values():
                if account.status in HEALTHY and not self._opens(account):
                    self._life(leases).move(account, NEEDS_LOGIN, reason=UNREADABLE, by=KEYS, next_step="give_key")
                    account.lease_holder = account.lease_operation = account.lease_expires_at = None
                    log.error("account_secret_unreadable", account_id=account.id)

    async def take_back(self) -> int:
        """Let accounts be leased again whose key is there now; how many."""
        found = 0
        async with self._tables.work() as leases:
            for account in await leases.set_aside(UNREADABLE):
                if self._opens(account):
                    self._life(leases).move(account, ACTIVE, reason="Its key is back.", by=KEYS)
                    found += 1
        if found:
            log.warning("accounts_taken_back", count=found)
        return found

    def _opens(self, account: Account) -> bool:
        try:
            self._vault.open_cookies(account)
            self._vault.open_api(account)
        except SecretUnreadable:
            return False
        return True

    def _life(self, leases: LeaseRepository) -> Life:
        return Life(leases.facts(self._clock), self._clock)
