"""What a login leaves behind: the try, its pauses, the cookies, and the account's state."""

from __future__ import annotations

import hashlib

from xget_account.models import ACTIVE, HEALTHY, LOGIN_SECRETS, NEEDS_LOGIN, Account, Login, LoginAttempt
from xget_account.ports import LOGGED_IN, LoginResult
from xget_account.service.life import LOGIN, Life
from xget_account.service.logins.outcomes import OUTCOMES, pause_after
from xget_account.service.vault import Vault
from xget_kernel.clock import Clock
from xget_kernel.secrets import SecretUnreadable
from xget_telemetry.logs import get_logger

log = get_logger(__name__)


class Ending:
    """Keeps results, within the transaction of whoever calls."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    def close(
        self, account: Account, login: Login, attempt: LoginAttempt, life: Life, result: LoginResult
    ) -> None:  # fmt: skip
        """Keep what a try came to: attempt, lease, pauses, cookies, and the account's state."""
        now = self._clock.now()
        attempt.outcome, attempt.sentence, attempt.ended_at = result.outcome, result.sentence[:500], now
        attempt.screenshot = result.screenshot
        login.holder = login.expires_at = None
        if result.browser_state is not None:
            self._vault.seal_login(login, LOGIN_SECRETS[0], result.browser_state.reveal())
        if result.outcome == LOGGED_IN:
            login.failures, login.next_at, login.refused, login.refused_rev = 0, None, None, None
            self._vault.seal_cookies(account, result.cookies)
            account.rest_until, account.updated_at = None, now
            life.note(account, "account.secrets_replaced", {"secrets": ["cookies"], "by": "login"})
            life.move(account, ACTIVE, reason=result.sentence, by=LOGIN)
        else:
            self._failed(account, login, life, result)
        told = {"attempt_id": attempt.id, "outcome": result.outcome, "asked_by": attempt.asked_by}
        life.note(account, "account.login_ended", told)
        log.info("login_ended", account_id=account.id, attempt_id=attempt.id, outcome=result.outcome)

    def _failed(self, account: Account, login: Login, life: Life, result: LoginResult) -> None:
        outcome, now = OUTCOMES[result.outcome], self._clock.now()
        login.failures += 1
        login.next_at = now + pause_after(login.failures, outcome)
        goes_on = outcome.goes_on(login.failures)
        step = "login" if outcome.again and not goes_on else outcome.next_step
        if outcome.state == NEEDS_LOGIN and not goes_on:
            self._vault.seal_login(login, LOGIN_SECRETS[1], self._digest(account))
            login.refused_rev = account.rev
        if account.status not in HEALTHY or result.outcome == "suspended":
            life.move(account, outcome.state, reason=result.sentence, by=LOGIN, next_step=step)
        if outcome.state == NEEDS_LOGIN:
            life.tell(account, "login_failed", reason=result.sentence)

    def changed(self, account: Account, login: Login) -> bool:
        """Whether somebody gave the account other secrets since they were refused.

        Those that no key opens are none; what was refused before the key was lost is not known any more.
        """
        try:
            now = self._digest(account)
        except SecretUnreadable:
            return False
        try:
            kept = self._vault.open_login(login, LOGIN_SECRETS[1])
        except SecretUnreadable:
            return True
        return kept is None or kept.reveal() != now

    def _digest(self, account: Account) -> str:
        parts = [account.username, account.email or "", account.login_method]
        parts += [self._vault.open(account, field) or "" for field in ("password", "email_password", "totp")]
        return hashlib.sha256("\x00".join(parts).encode()).hexdigest()
