"""Accounts log in with Chromium, through the pages of X and Google in the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

from xget_account.adapters.login.browser import BrowserFlow, BrowserRules
from xget_account.ports import Credentials, LoginResult
from xget_kernel.secrets import Secret
from xget_sandbox.app import Options, Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.connected("chromium")]

TOTP = pyotp.random_base32()
PASSWORD = "planted-password-0192"
ALICE = {"username": "alice", "password": PASSWORD, "email": "alice@mail.test", "totp": TOTP}


@pytest.fixture
async def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with Sandbox(Options(port=0, posts=20, ca_file=tmp_path / "ca.pem")) as sandbox:
        yield sandbox


async def log_in(sandbox: Sandbox, home: Path, method: str = "TWITTER", **rules: Any) -> LoginResult:
    given = Credentials(
        "id", "attempt", "alice", method, Secret(PASSWORD), email="alice@mail.test", totp=Secret(TOTP),
        proxy_url=Secret(sandbox.proxy_url), email_password=Secret("mail-password-0192"),
    )  # fmt: skip
    return await BrowserFlow(BrowserRules(home=home, **rules)).log_in(given)


async def test_google_signs_in_with_password_and_code_and_leads_back_to_x(sandbox, tmp_path: Path) -> None:
    sandbox.people.register({**ALICE, "google": True, "google_totp": True})
    result = await log_in(sandbox, tmp_path / "home", "GOOGLE")
    assert (result.outcome, set(result.cookies)) == ("logged_in", {"auth_token", "ct0"})
    assert result.cookies["auth_token"] in sandbox.people.sessions
    assert result.browser_state is not None
    assert result.cookies["auth_token"] in result.browser_state.reveal()
    assert not list((tmp_path / "home").rglob("*.*"))


async def test_a_captcha_stops_it_and_no_secret_is_left_anywhere(sandbox, tmp_path: Path) -> None:
    sandbox.people.register({**ALICE, "challenge": "captcha"})
    result = await log_in(sandbox, tmp_path / "home")
    assert (result.outcome, result.screenshot) == ("challenge", str(tmp_path / "home/screenshots/attempt.png"))
    found = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert [path.name for path in found] == ["attempt.png"]
    assert all(PASSWORD.encode() not in path.read_bytes() for path in found)
    assert sandbox.people.told()["accounts"][0]["logins"] == 0
