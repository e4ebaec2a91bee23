"""A person logs an account in on a machine of his own.

He gets a ticket, which is good once, with what his browser needs: the account's proxy, user agent and browser state.
No password leaves the service. The ticket holds the account's login, so that no worker tries at the same time: for a
minute, renewed while his browser is open, half an hour at most. Who holds it is a row in the account's tries; whoever
let his ticket run out is shut out by the digest of the next one.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any, Final

import orjson

from xget_account.errors import AccountNotFound, LoginImpossible, LoginUnderWay, TicketVoid
from xget_account.models import RETIRED, Account, Login, LoginAttempt
from xget_account.ports import LOGGED_IN, LoginResult
from xget_account.repository import LoginRepository
from xget_account.service.life import Life
from xget_account.service.logins.asking import new_attempt
from xget_account.service.logins.ending import Ending
from xget_account.service.logins.showing import ASSIST
from xget_account.service.vault import Vault
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.secrets import Secret
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

LEASE: Final = timedelta(seconds=60)
VALID: Final = timedelta(minutes=30)
LEFT: Final = "A person opened a browser for it, and was gone before he logged in."
HOLDS: Final = "assist:"
SITE: Final = "x.com"


@dataclass(frozen=True)
class Ticket:
    """What a person's browser needs. Its repr shows no secret."""

    attempt_id: str
    ticket: Secret
    expires_at: datetime
    ends_at: datetime
    username: str
    user_agent: str | None
    proxy_url: Secret | None
    browser_state: Secret | None


class AssistService:
    """Use cases within one transaction."""

    def __init__(self, logins: LoginRepository, life: Life, vault: Vault, clock: Clock) -> None:
        self._logins = logins
        self._life = life
        self._vault = vault
        self._clock = clock
        self._ending = Ending(vault, clock)

    async def begin(self, account_id: str, caller: Caller, proxy: Secret | None) -> Ticket:
        """Give a ticket. Raises AccountNotFound (404), LoginUnderWay (409), LoginImpossible (422)."""
        account, login = await self._mine(account_id, caller)
        if account.status == RETIRED:
            raise LoginImpossible("The account is retired: take it into use again first.")
        await self._clear(account, login)
        now, ticket = self._clock.now(), token_urlsafe(32)
        attempt = new_attempt(account.id, now, caller.user_id, ASSIST)
        attempt.started_at, attempt.starts = now, 1
        if (login.expires_at is not None and login.expires_at > now) or not await self._logins.add(attempt):
            raise LoginUnderWay()
        login.fence += 1
        login.holder, login.expires_at = HOLDS + _digest(ticket), now + LEASE
        log.info("login_assist_begun", account_id=account.id, attempt_id=attempt.id, by=caller.user_id)
        self._life.note(account, "account.assist_opened", {"attempt_id": attempt.id})
        self._life.note(account, "account.secrets_opened", {"for": "assist", "attempt_id": attempt.id})
        return Ticket(
            attempt_id=attempt.id,
            ticket=Secret(ticket),
            expires_at=login.expires_at,
            ends_at=now + VALID,
            username=account.username,
            user_agent=account.user_agent,
            proxy_url=proxy,
            browser_state=self._vault.session_of(login),
        )

    async def renew(self, account_id: str, attempt_id: str, caller: Caller, ticket: str) -> tuple[datetime, datetime]:
        """His browser is still open: until when the ticket is good now, and at the latest.

        Raises AccountNotFound (404) and TicketVoid (409).
        """
        _, login, attempt = await self._held(account_id, attempt_id, caller, ticket)
        ends = (attempt.started_at or attempt.at) + VALID
        login.expires_at = min(self._clock.now() + LEASE, ends)
        return login.expires_at, ends

    async def end(
        self, account_id: str, attempt_id: str, caller: Caller, ticket: str, state: dict[str, Any] | None
    ) -> LoginAttempt:
        """Keep the session of the person's browser; without a state he gave up.

        Raises AccountNotFound (404) and TicketVoid (409).
        """
        account, login, attempt = await self._held(account_id, attempt_id, caller, ticket)
        self._ending.close(account, login, attempt, self._life, _result(state))
        return attempt

    async def _clear(self, account: Account, login: Login) -> None:
        """A ticket that ran out holds nobody up, also where no worker runs."""
        ran_out = login.expires_at is not None and login.expires_at <= self._clock.now()
        attempt = await self._logins.open(account.id) if ran_out else None
        if attempt is not None and attempt.method == ASSIST:
            self._ending.close(account, login, attempt, self._life, LoginResult("given_up", LEFT))

    async def _held(
        self, account_id: str, attempt_id: str, caller: Caller, ticket: str
    ) -> tuple[Account, Login, LoginAttempt]:
        account, login = await self._mine(account_id, caller)
        attempt = await self._logins.attempt(attempt_id)
        if attempt is None or attempt.account_id != account.id:
            raise AccountNotFound()
        held = hmac.compare_digest(login.holder or "", HOLDS + _digest(ticket))
        if not held or attempt.outcome is not None or login.expires_at is None or login.expires_at <= self._clock.now():
            raise TicketVoid()
        return account, login, attempt

    async def _mine(self, account_id: str, caller: Caller) -> tuple[Account, Login]:
        account = await self._logins.account(account_id, caller.owner_filter)
        if account is None:
            raise AccountNotFound()
        return account, await self._logins.login(account.id)


def _result(state: dict[str, Any] | None) -> LoginResult:
    given = (state or {}).get("cookies", [])
    cookies = {
        str(one["name"]): str(one["value"])
        for one in given
        if isinstance(one, dict) and str(one.get("domain", "")).lstrip(".") == SITE and {"name", "value"} <= one.keys()
    }
    if not (cookies.get("auth_token") and cookies.get("ct0")):
        return LoginResult("given_up", "A person opened a browser for it, but did not log in.")
    kept = Secret(orjson.dumps(state).decode())
    return LoginResult(LOGGED_IN, "A person logged in.", cookies=cookies, browser_state=kept)


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
