"""Walks through the pages of X and Google until there is a session, or something that a machine must not pass."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Page

from xget_account.adapters.login.answers import EXPIRED
from xget_account.adapters.login.mail import MailAway, MailHosts, MailRefused, NoCode, wait_for_code
from xget_account.adapters.login.seeing import Sight, look
from xget_account.ports import LOGGED_IN, Credentials, LoginResult, OnStep
from xget_kernel import totp

START: Final = "https://x.com/i/flow/login"
LOOK_EVERY_S: Final = 0.1
PATIENCE_S: Final = 15.0
"""So long a page may show nothing that is known."""
REFUSED: Final = {
    "identifier": ("unknown_name", "X knows no such account: correct its username."),
    "password": ("wrong_password", "X refuses its password: set the right one."),
    "totp": ("wrong_totp", "X refuses the code of its TOTP secret: set the right secret (and look at the clock)."),
    "code": ("wrong_code", EXPIRED),
    "email": ("wrong_code", "X refuses its e-mail address: look at its `email`."),
    "name": ("denied", "X saw unusual activity and does not take its user name as the proof: log in by hand."),
    "google": ("denied", "Google does not vouch for it: X shows its login page again."),
    "google_identifier": ("unknown_name", "Google knows no such account: correct its `email`."),
    "google_password": ("wrong_password", "Google refuses its password: set the right one."),
    "google_code": ("wrong_totp", "Google refuses the code of its TOTP secret: set the right secret."),
}
"""Step to outcome and sentence when the page says no."""
BLOCKED: Final = (
    (
        ("verify it\u2019s you", "verify it's you", "verify you are human"),
        "challenge",
        "The login asks for a proof that it is a person.",
    ),
    (("browser or app may not be secure",), "denied", "Google refuses this browser as not secure: log in by hand."),
    (("wants access to your google account",), "challenge", "Google asks whether X may see it: agree once by hand."),
    (("access blocked",), "denied", "Google does not let X see it: its administrator has to allow X."),
    (("account is suspended",), "suspended", "X has suspended it."),
    (
        ("suspicious login prevented", "weren't sure it was really you"),
        "denied",
        "X prevented the login as suspicious.",
    ),
)
"""Words of a page, outcome and sentence."""
NO: Final = ("wrong", "incorrect", "could not find", "couldn\u2019t find", "couldn't find", "try again")
SELECTORS: Final = {
    "identifier": 'input[autocomplete~="username"]',
    "password": 'input[name="password"]',
    "challenge": 'input[data-testid="ocfEnterTextTextInput"]',
    "google_identifier": "#identifierId",
    "google_password": 'input[name="Passwd"]',
    "google_code": 'input[name="totpPin"]',
}


class Stop(Exception):
    """The walk is over with this result."""

    def __init__(self, outcome: str, sentence: str) -> None:
        super().__init__(outcome)
        self.result = LoginResult(outcome, sentence)


class Walk:
    """One login in one context."""

    def __init__(
        self, context: BrowserContext, given: Credentials, hosts: MailHosts, code_seconds: float, on_step: OnStep
    ) -> None:
        self.context = context
        self._given = given
        self._hosts = hosts
        self._code_seconds = code_seconds
        self._on_step = on_step
        self._began = datetime.now(UTC)
        self._done: list[str] = []
        self.typed: list[str] = []
        """What was given to pages: no picture may show it."""
        self._answers: dict[str, Callable[[Sight], Awaitable[tuple[str, str]]]] = {
            "identifier": self._identifier,
            "password": self._password,
            "challenge": self._challenge,
            "google_identifier": self._google_identifier,
            "google_password": self._google_password,
            "google_code": self._google_code,
        }

    @property
    def page(self) -> Page:
        """The page in front."""
        return self.context.pages[-1]

    async def run(self) -> LoginResult:
        """Walk to the end. Raises Playwright's Error when a page or the browser breaks."""
        page = await self.context.new_page()
        await self._on_step("opening")
        await page.goto(START)
        known_at = time.monotonic()
        try:
            while time.monotonic() - known_at < PATIENCE_S:
                sight = await look(self.page)
                if sight is not None and (result := await self._session(sight)):
                    return result
                if sight is not None and await self._step(sight):
                    known_at = time.monotonic()
                await asyncio.sleep(LOOK_EVERY_S)
        except Stop as stop:
            return stop.result
        return LoginResult("unknown_step", "The login shows a page that is not known here: look at its picture.")

    async def _session(self, sight: Sight) -> LoginResult | None:
        """The session, once X has given one and leads on."""
        cookies = {one["name"]: one["value"] for one in await self.context.cookies("https://x.com/")}
        path = urlsplit(sight.url).path
        if not (cookies.get("auth_token") and cookies.get("ct0")):
            return None
        await self._on_step("session")
        if path.startswith("/account/access") or sight.says("verify you are human"):
            raise Stop("challenge", "X has locked it until a person unlocks it.")
        if path != "/home":
            return None
        return LoginResult(LOGGED_IN, "Logged in with a browser.", cookies=cookies)

    async def _step(self, sight: Sight) -> bool:
        """Answer what the page asks; False when it asks for nothing that is known."""
        _blocked(sight)
        if self._done and sight.toast and sight.says(*NO):
            raise Stop(*REFUSED[self._done[-1]])
        field = next((name for name in SELECTORS if name in sight.fields), None)
        if field is None:
            return False
        if field == "identifier" and self._given.login_method == "GOOGLE":
            if "google" in self._done:
                raise Stop(*REFUSED["google"])
            self._done.append("google")
            await self._on_step("google")
            await self.page.click('[data-testid="google_sign_in_container"]')
            await self._until_gone(field)
            return True
        await self._on_step(self._kind(sight) if field == "challenge" else field)
        step, text = await self._answers[field](sight)
        if step in self._done:
            raise Stop(*REFUSED[step])
        self._done.append(step)
        self.typed.append(text)
        box = self.page.locator(SELECTORS[field]).first
        await box.fill(text)
        await box.press("Enter")
        await self._until_gone(field)
        return True

    async def _until_gone(self, field: str) -> None:
        """Wait until the page has taken an answer: the field is gone, or there is a message."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            sight = await look(self.page)
            if sight is not None and (field not in sight.fields or sight.toast or sight.captcha):
                return
            if sight is not None and field == "challenge" and self._done[-1] != self._kind(sight):
                return
            await asyncio.sleep(LOOK_EVERY_S)
        raise Stop("network", "X does not go on after an answer: look at the proxy.")

    async def _identifier(self, sight: Sight) -> tuple[str, str]:
        return "identifier", self._given.username

    async def _password(self, sight: Sight) -> tuple[str, str]:
        return "password", self._secret("password", "password")

    async def _challenge(self, sight: Sight) -> tuple[str, str]:
        """One field for everything: the words say what is wanted."""
        kind = self._kind(sight)
        if kind == "code":
            text = await self._code()
            await self._on_step("code_given")
            return kind, text
        if kind == "totp":
            return kind, self._totp()
        if kind == "email":
            return kind, self._email()
        return kind, self._given.username

    def _kind(self, sight: Sight) -> str:
        if sight.says("check your email", "confirmation code", "we sent you a code"):
            return "code"
        if sight.says("phone number or username", "phone or username"):
            return "name"
        return "email" if sight.says("email address", "verify your identity") else "totp"

    async def _google_identifier(self, sight: Sight) -> tuple[str, str]:
        return "google_identifier", self._email()

    async def _google_password(self, sight: Sight) -> tuple[str, str]:
        return "google_password", self._secret("password", "password")

    async def _google_code(self, sight: Sight) -> tuple[str, str]:
        return "google_code", self._totp()

    def _email(self) -> str:
        if not self._given.email:
            raise Stop("missing_secret", "It asks for an e-mail address: set its `email`.")
        return self._given.email

    def _secret(self, field: str, name: str) -> str:
        secret = getattr(self._given, field)
        if secret is None:
            raise Stop("missing_secret", f"It asks for something that is not stored: set its `{name}`.")
        text: str = secret.reveal()
        return text

    def _totp(self) -> str:
        try:
            return totp.code(self._secret("totp", "totp"), datetime.now(UTC))
        except ValueError as error:
            raise Stop("wrong_totp", "Its TOTP secret is not base32: set the right secret.") from error

    async def _code(self) -> str:
        address, password = self._email(), self._secret("email_password", "email_password")
        try:
            return await asyncio.to_thread(
                wait_for_code, address, password, self._hosts, self._began, self._code_seconds
            )
        except MailRefused as error:
            raise Stop("mail_refused", str(error)) from error
        except MailAway as error:
            raise Stop("mail_away", str(error)) from error
        except NoCode as error:
            raise Stop("no_code", str(error)) from error


def _blocked(sight: Sight) -> None:
    """Raise Stop at what only a person may pass."""
    if sight.captcha:
        raise Stop("challenge", "The login asks for a proof that it is a person (captcha).")
    for words, outcome, sentence in BLOCKED:
        if sight.says(*words):
            raise Stop(outcome, sentence)
    if sight.says("2-step verification") and "google_code" not in sight.fields:
        raise Stop("challenge", "Google asks for a proof on its owner's phone.")
