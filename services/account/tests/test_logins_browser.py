"""Accounts log in with Chromium, through the pages of X and Google in the sandbox."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pyotp
import pytest

from xget_account.adapters.login.browser import BrowserFlow, BrowserRules
from xget_account.ports import Credentials, LoginResult
from xget_kernel.secrets import Secret
from xget_sandbox.app import Options, Sandbox
from xget_sources.browser import tree
from xget_testing.browsers import command_of, folders_of, left_below, untold

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
    flow = BrowserFlow(BrowserRules(home=home, **rules))
    result = await flow.log_in(given, untold)
    assert 100 < flow.peak_mb <= 600, "megabytes that a login takes"
    assert left_below() == [], "all is freed"
    return result


WORKER = """
import asyncio, sys
from pathlib import Path
from xget_account.adapters.login.browser import BrowserFlow, BrowserRules
from xget_account.ports import Credentials
from xget_kernel.secrets import Secret
home, proxy, password = sys.argv[1:]
given = Credentials("id", "attempt", "alice", "TWITTER", Secret(password), proxy_url=Secret(proxy))
async def untold(step): ...
asyncio.run(BrowserFlow(BrowserRules(home=Path(home))).log_in(given, untold))
"""


def holding(folder: Path) -> list[Path]:
    """Files with the password in them; a browser that runs removes some meanwhile."""
    paths = [Path(where) / name for where, _, names in os.walk(folder) for name in names]
    return [path for path in paths if path.is_file() and PASSWORD.encode() in content_of(path)]


def content_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


async def until(holds: Callable[[], bool], seconds: float = 120.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - processes of others set no event
            await asyncio.sleep(0.05)


async def test_a_killed_worker_leaves_no_browser_and_no_folder(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.people.register(ALICE)
    command = [sys.executable, "-c", WORKER, str(tmp_path), sandbox.proxy_url, PASSWORD]
    worker = await asyncio.create_subprocess_exec(*command)
    await until(lambda: any("--type=renderer" in command_of(pid) for pid in tree.members(worker.pid)))
    below = [pid for pid in tree.members(worker.pid) if pid != worker.pid]
    (folder,) = folders_of(worker.pid)
    assert all(PASSWORD not in command_of(pid) for pid in below)
    assert not holding(folder)
    worker.kill()
    await worker.wait()
    await until(lambda: not any(command_of(pid) for pid in below) and not folders_of(worker.pid))


async def test_google_signs_in_with_password_and_code_and_leads_back_to_x(sandbox, tmp_path: Path) -> None:
    sandbox.people.register({**ALICE, "google": True, "google_totp": True})
    result = await log_in(sandbox, tmp_path / "home", "GOOGLE")
    assert (result.outcome, set(result.cookies)) == ("logged_in", {"auth_token", "ct0", "kdt"})
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
