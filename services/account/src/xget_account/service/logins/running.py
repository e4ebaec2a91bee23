"""The worker's side of logins: finds what is due, tries it once, and keeps what came of it.

A try is fenced: its row is leased while it runs and the lease is renewed; when the worker is killed, the lease ends and
another begins the same try anew, with a higher fence, so that a result of the dead one would be thrown away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from xget_account.models import Account, Login, LoginAttempt
from xget_account.ports import Credentials, LoginFlow, LoginProxies, LoginResult, OnStep
from xget_account.service.life import LOGIN
from xget_account.service.logins.asking import new_attempt
from xget_account.service.logins.assisting import LEFT
from xget_account.service.logins.beating import Beat, Begun, LeaseLost, LoginWork
from xget_account.service.logins.ending import Ending
from xget_account.service.logins.showing import ASSIST, used_today
from xget_account.service.vault import Vault
from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_kernel.secrets import Secret, SecretUnreadable
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

MOST_STARTS: Final = 3
DUE_AT_ONCE: Final = 20
UNREADABLE: Final = "Its password cannot be decrypted: set it again, or give the key back."


@dataclass(frozen=True)
class Rules:
    """How logins are tried."""

    daily_cap: int = 4
    """Tries of one account in a UTC day: a hard stop."""
    seconds: float = 120.0
    """A try that takes longer is cut off."""
    lease: timedelta = timedelta(seconds=30)


class LoginRunner:
    """Tries logins, one at a time."""

    def __init__(
        self,
        *,
        name: str,
        work: LoginWork,
        flow: Callable[[str, str], LoginFlow],
        proxies: LoginProxies,
        vault: Vault,
        clock: Clock,
        rules: Rules,
    ) -> None:
        self._name = name
        self._work = work
        self._flow = flow
        self._proxies = proxies
        self._vault = vault
        self._clock = clock
        self._rules = rules
        self._ending = Ending(vault, clock)

    async def run(self) -> int:
        """Queue what is due and try whatever waits; how many were tried."""
        await self._queue_due()
        tried = 0
        while (begun := await self._begin()) is not None:
            await self._try(begun)
            tried += 1
        return tried

    async def _queue_due(self) -> None:
        """Accounts that lost their session are tried again by themselves, after pauses that grow."""
        async with self._work() as (logins, _):
            now = self._clock.now()
            for account, login in await logins.due(now, self._rules.daily_cap, DUE_AT_ONCE):
                if login is not None and login.refused is not None and not self._ending.changed(account, login):
                    login.refused_rev = account.rev
                    continue
                await logins.add(new_attempt(account.id, now, "worker", "auto"))

    async def _begin(self) -> Begun | None:
        """Take the next try that waits, with its account's secrets."""
        async with self._work() as (logins, life):
            now = self._clock.now()
            waiting = await logins.waiting(now)
            if waiting is None:
                return None
            account = await logins.account(waiting.account_id, None)
            attempt = await logins.attempt(waiting.id)
            if account is None or attempt is None or attempt.outcome is not None:
                return None
            login = await logins.login(account.id)
            if login.expires_at is not None and login.expires_at > now:
                return None
            if refused := self._refused(attempt, login):
                self._ending.close(account, login, attempt, life, refused)
                return None
            begun = self._lease(account, login, attempt)
            life.note(account, "account.secrets_opened", {"for": "login", "attempt_id": attempt.id}, by=LOGIN)
            return begun

    def _refused(self, attempt: LoginAttempt, login: Login) -> LoginResult | None:
        if attempt.method == ASSIST:
            return LoginResult("given_up", LEFT)
        if attempt.starts >= MOST_STARTS:
            return LoginResult("interrupted", f"The worker died {attempt.starts} times during this login.")
        if used_today(login, self._clock.now()) >= self._rules.daily_cap:
            return LoginResult("interrupted", f"The cap of {self._rules.daily_cap} tries a day was reached.")
        return None

    def _lease(self, account: Account, login: Login, attempt: LoginAttempt) -> Begun | None:
        now = self._clock.now()
        login.fence += 1
        login.holder, login.expires_at = self._name, now + self._rules.lease
        attempt.starts, attempt.started_at, attempt.sentence = attempt.starts + 1, now, ""
        try:
            given = self._credentials(account, login, attempt)
        except SecretUnreadable as error:
            given = Credentials(account.id, attempt.id, account.username, account.login_method, None)
            log.error("login_secret_unreadable", account_id=account.id, reason=error.detail)
        return Begun(attempt.id, account.id, account.owner_id, account.proxy_id, login.fence, given)

    def _credentials(self, account: Account, login: Login, attempt: LoginAttempt) -> Credentials:
        def opened(field: str) -> Secret | None:
            plain = self._vault.open(account, field)
            return Secret(plain) if plain else None

        return Credentials(
            account_id=account.id,
            attempt_id=attempt.id,
            username=account.username,
            login_method=account.login_method,
            password=opened("password"),
            email=account.email,
            email_password=opened("email_password"),
            totp=opened("totp"),
            user_agent=account.user_agent,
            browser_state=self._vault.session_of(login),
        )

    async def _try(self, begun: Begun) -> None:
        log.info("login_begun", account_id=begun.account_id, attempt_id=begun.attempt_id)
        beat = Beat(self._work, self._clock, self._rules.lease, begun)
        try:
            async with beat.beating():
                result = await self._log_in(begun, beat.tell)
        except LeaseLost:
            log.warning("login_overtaken", account_id=begun.account_id, attempt_id=begun.attempt_id)
            return
        await self._end(begun, result)

    async def _log_in(self, begun: Begun, on_step: OnStep) -> LoginResult:
        if begun.given.password is None:
            return LoginResult("key_lost", UNREADABLE)
        try:
            async with self._work() as (logins, _):
                attempt = await logins.attempt(begun.attempt_id)
                method = attempt.method if attempt is not None else "auto"
            proxy = await self._proxies.address(begun.owner_id, begun.proxy_id)
        except XGetError as error:
            return LoginResult("network", f"Its proxy cannot be had: {error.detail}")
        given = Credentials(**{**vars(begun.given), "proxy_url": proxy})
        try:
            async with asyncio.timeout(self._rules.seconds):
                return await self._flow(method, given.login_method).log_in(given, on_step)
        except TimeoutError:
            return LoginResult("timed_out", f"The login took longer than {self._rules.seconds:.0f} seconds.")
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a page does must end in an outcome, without its text
            log.error("login_broke", account_id=begun.account_id, reason=type(error).__name__)
            return LoginResult("failed", f"The login broke off ({type(error).__name__}).")

    async def _end(self, begun: Begun, result: LoginResult) -> None:
        async with self._work() as (logins, life):
            account = await logins.account(begun.account_id, None)
            attempt = await logins.attempt(begun.attempt_id)
            if account is None or attempt is None:
                return
            login = await logins.login(account.id)
            if login.fence != begun.fence or attempt.outcome is not None:
                log.warning("login_overtaken", account_id=account.id, attempt_id=attempt.id)
                return
            self._ending.close(account, login, attempt, life, result)
