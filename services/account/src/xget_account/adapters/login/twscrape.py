"""twscrape's own login flow, step by step: each of its functions as it is, the mail read by us.

twscrape returns as if all were well when it meets a step that it does not know; here that is an outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from twscrape.account import Account as TwsAccount
from twscrape.http import HttpClient, HttpError, HttpStatusError, Response
from twscrape.login import (
    LOGIN_URL,
    LoginConfig,
    TaskCtx,
    get_guest_token,
    login_initiate,
    next_login_task,
)

from xget_account.adapters.login.answers import blocked, refusal
from xget_account.adapters.login.mail import MailAway, MailHosts, MailRefused, NoCode, wait_for_code
from xget_account.ports import LOGGED_IN, Credentials, LoginResult, OnStep
from xget_kernel import totp

MOST_STEPS: Final = 20
Coder = Callable[[], Awaitable[str]]
"""Waits for the code that was mailed."""
TWO_FACTOR: Final = "LoginTwoFactorAuthChallenge"
KNOWN: Final = frozenset(
    {
        "AccountDuplicationCheck",
        "LoginAcid",
        "LoginEnterAlternateIdentifierSubtask",
        "LoginEnterPassword",
        "LoginEnterUserIdentifierSSO",
        "LoginJsInstrumentationSubtask",
        "LoginSuccessSubtask",
        TWO_FACTOR,
    }
)

WORDS: Final = {
    "LoginEnterUserIdentifierSSO": "identifier",
    "LoginEnterAlternateIdentifierSubtask": "name",
    "LoginEnterPassword": "password",
    TWO_FACTOR: "totp",
    "LoginAcid": "email",
    "LoginSuccessSubtask": "session",
}
"""Subtask to what is told of it."""


class TwscrapeFlow:
    """Implements `LoginFlow` without a browser."""

    def __init__(self, imap_hosts: str = "", code_seconds: float = 60.0) -> None:
        self._hosts = MailHosts.parse(imap_hosts)
        self._code_seconds = code_seconds

    async def log_in(self, given: Credentials, on_step: OnStep) -> LoginResult:
        """Log in once."""
        account = TwsAccount(
            username=given.username,
            password=given.password.reveal() if given.password else "",
            email=given.email or "",
            email_password=given.email_password.reveal() if given.email_password else "",
            user_agent=given.user_agent or "@chrome",
            active=False,
            mfa_code=given.totp.reveal() if given.totp else None,
            proxy=given.proxy_url.reveal() if given.proxy_url else None,
        )
        try:
            async with account.make_client() as client:
                return await _Walk(client, account, given, self._coder(given), on_step).run()
        except HttpError:
            return LoginResult("network", _unreachable(given))

    def _coder(self, given: Credentials) -> Coder:
        since = datetime.now(UTC)

        async def code() -> str:
            address, password = given.email or "", given.email_password
            shown = password.reveal() if password else ""
            return await asyncio.to_thread(wait_for_code, address, shown, self._hosts, since, self._code_seconds)

        return code


class _Over(Exception):
    """The walk ends here, with this result."""

    def __init__(self, result: LoginResult) -> None:
        super().__init__(result.outcome)
        self.result = result


class _Walk:
    """One login from its first step to its end."""

    def __init__(
        self, client: HttpClient, account: TwsAccount, given: Credentials, code: Coder, on_step: OnStep
    ) -> None:
        self._client = client
        self._given = given
        self._code = code
        self._on_step = on_step
        self._context = TaskCtx(client, account, LoginConfig(), None, None)
        self._step = ""

    async def run(self) -> LoginResult:
        """Walk; raises HttpError when X cannot be reached."""
        try:
            await self._on_step("opening")
            self._client.headers["x-guest-token"] = await get_guest_token(self._client)
            answer: Response | None = await login_initiate(self._client)
            for _ in range(MOST_STEPS):
                if answer is None:
                    return self._end()
                step = _step(answer)
                if step and (result := self._impossible(step) or self._unconfirmed(answer)):
                    return result
                self._step = "code" if _wants_code(answer) else step
                await self._on_step("code" if _wants_code(answer) else WORDS.get(step, ""))
                answer = await self._answer(step, answer)
        except _Over as over:
            return over.result
        except HttpStatusError as error:
            return refusal(self._step, error.response.status_code, _codes(error.response), self._given.username)
        return LoginResult("unknown_step", f"X asks for {self._step} again and again.")

    def _impossible(self, step: str) -> LoginResult | None:
        if result := blocked(step):
            return result
        if step not in KNOWN:
            return LoginResult("unknown_step", f"X asks for something that this login does not know ({step[:60]}).")
        if step == TWO_FACTOR and self._given.totp is None:
            return LoginResult("missing_secret", "X asks for a code of its authenticator app: set its `totp` secret.")
        if step == "LoginAcid" and not self._given.email:
            return LoginResult("missing_secret", "X asks for its e-mail address: set its `email`.")
        return None

    def _unconfirmed(self, answer: Response) -> LoginResult | None:
        if _wants_code(answer) and self._given.email_password is None:
            return LoginResult("missing_secret", "X has sent a code by mail: set its `email_password`.")
        return None

    async def _answer(self, step: str, answer: Response) -> Response | None:
        """twscrape's answer to a step, but for two codes: it reads no mail but its own way, and no short secret."""
        if _wants_code(answer):
            return await self._enter(answer, step, await self._mailed())
        if step == TWO_FACTOR and self._given.totp is not None:
            return await self._enter(answer, step, self._generated(self._given.totp.reveal()))
        taken: Response | None = await next_login_task(self._context, answer)
        return taken

    async def _mailed(self) -> str:
        """The code of a mail, which may have come late: whether the login is still this worker's is asked again."""
        try:
            code = await self._code()
        except MailRefused as error:
            raise _Over(LoginResult("mail_refused", str(error))) from error
        except MailAway as error:
            raise _Over(LoginResult("mail_away", str(error))) from error
        except NoCode as error:
            raise _Over(LoginResult("no_code", str(error))) from error
        await self._on_step("code_given")
        return code

    def _generated(self, secret: str) -> str:
        try:
            return totp.code(secret, datetime.now(UTC))
        except ValueError as error:
            sentence = "Its TOTP secret is no base32 text: set the right secret."
            raise _Over(LoginResult("wrong_totp", sentence)) from error

    async def _enter(self, answer: Response, step: str, text: str) -> Response:
        entered = {"text": text, "link": "next_link"}
        body = {
            "flow_token": answer.json()["flow_token"],
            "subtask_inputs": [{"subtask_id": step, "enter_text": entered}],
        }
        confirmed = await self._client.post(LOGIN_URL, json=body)
        confirmed.raise_for_status()
        return confirmed

    def _end(self) -> LoginResult:
        cookies = {name: value for name, value in dict(self._client.cookies).items() if value}
        if not {"auth_token", "ct0"} <= cookies.keys():
            return LoginResult("denied", "X ended the login without giving a session: log in by hand.")
        return LoginResult(LOGGED_IN, "Logged in with its password.", cookies=cookies)


def _step(answer: Response) -> str:
    subtasks = answer.json().get("subtasks") or [{}]
    known = [str(one.get("subtask_id", "")) for one in subtasks]
    return next((name for name in known if name in KNOWN), known[0])


def _wants_code(answer: Response) -> bool:
    """Whether X has sent a code by mail."""
    tasks = [one for one in answer.json().get("subtasks") or [] if one.get("subtask_id") == "LoginAcid"]
    return any(one.get("enter_text", {}).get("hint_text", "").lower() == "confirmation code" for one in tasks)


def _codes(response: Response) -> list[int]:
    try:
        errors: Any = orjson.loads(response.content).get("errors", [])
        return [int(one["code"]) for one in errors if isinstance(one, dict) and "code" in one]
    except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError):
        return []


def _unreachable(given: Credentials) -> str:
    via = "through its proxy" if given.proxy_url else "directly"
    return f"X cannot be reached {via} ({LOGIN_URL.split('/')[2]}): look at the proxy."
