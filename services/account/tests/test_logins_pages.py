"""Pages that end a login, ways through proxies, and browsers that die: Chromium against the sandbox.

`make soak` tries all of Google's pages (XGET_SOAK=1).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.async_api import BrowserContext

from xget_account.adapters.login import walking as walks
from xget_account.adapters.login.browser import PICTURES_KEPT, BrowserFlow, BrowserRules, keep_some
from xget_account.adapters.login.mail import MailHosts
from xget_account.adapters.login.seeing import picture
from xget_account.adapters.login.walking import Walk
from xget_account.ports import Credentials, LoginResult
from xget_kernel.secrets import Secret
from xget_sandbox.app import Options, Sandbox
from xget_sources.browser import tree
from xget_sources.browser.chromium import Wanted, browsing, proxy_settings
from xget_sources.browser.finding import find_chromium
from xget_sources.browser.relay import relayed
from xget_testing.browsers import command_of, left_below, untold

pytestmark = [pytest.mark.slow, pytest.mark.connected("chromium")]

TOTP = pyotp.random_base32()
PASSWORD = "planted-password-0192"
MAIL = "alice@mail.test"
ALICE = {"username": "alice", "password": PASSWORD, "email": MAIL, "totp": TOTP, "google": True, "google_totp": True}
GIVEN = Credentials("id", "attempt", "alice", "GOOGLE", Secret(PASSWORD), email=MAIL, totp=Secret(TOTP))


@pytest.fixture
async def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    options = Options(port=0, posts=20, ca_file=tmp_path / "ca.pem", exits=("login", "socks5"))
    async with Sandbox(options) as sandbox:
        yield sandbox


@pytest.fixture
async def browser(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """One browser for many logins, each in a context of its own. A page may be slow."""
    monkeypatch.setattr(walks, "PATIENCE_S", 60.0)
    wanted = Wanted(program=find_chromium(None), home=tmp_path / "browser", ca_file=os.environ["SSL_CERT_FILE"])
    async with browsing(wanted) as context:
        yield context.browser


@asynccontextmanager
async def walking(
    browser: Any, proxy: str, given: Credentials = GIVEN, state: Any = None
) -> AsyncIterator[tuple[LoginResult, Walk, BrowserContext]]:
    context = await browser.new_context(proxy=proxy_settings(proxy), storage_state=state)
    try:
        walk = Walk(context, given, MailHosts.parse(""), 1.0, untold)
        yield await walk.run(), walk, context
    finally:
        await context.close()


STOPPED = {
    "wrong password": ({}, {"password": Secret("other")}, "wrong_password", "Google refuses its password"),
    "no such account": ({}, {"email": "nobody@mail.test"}, "unknown_name", "Google knows no such account"),
    "wrong code": ({}, {"totp": Secret("JBSWY3DPEHPK3PXP")}, "wrong_totp", "Google refuses the code"),
    "phone": ({"google_challenge": "phone"}, {}, "challenge", "a proof that it is a person"),
    "prompt": ({"google_challenge": "prompt"}, {}, "challenge", "a proof on its owner's phone"),
    "captcha": ({"google_challenge": "captcha"}, {}, "challenge", "(captcha)"),
    "insecure": ({"google_challenge": "insecure"}, {}, "denied", "refuses this browser as not secure"),
    "consent": ({"google_challenge": "consent"}, {}, "challenge", "whether X may see it"),
    "blocked": ({"google_challenge": "blocked"}, {}, "denied", "does not let X see it"),
    "refused": ({"google_challenge": "refused"}, {}, "denied", "does not vouch for it"),
}
"""What Google has, what is given, the outcome, and words of its sentence."""
SHORT = ("wrong password", "prompt", "insecure", "refused")
SOAK = os.environ.get("XGET_SOAK") == "1"


async def test_each_no_of_google_ends_the_login_once_with_its_word(browser, sandbox: Sandbox) -> None:
    for name in STOPPED if SOAK else SHORT:
        person, other, outcome, words = STOPPED[name]
        sandbox.people.register({**ALICE, **person})
        async with walking(browser, sandbox.exits.url("login"), replace(GIVEN, **other)) as (result, _, context):
            assert (result.outcome, words in result.sentence) == (outcome, True), (name, result.sentence)
            assert dict(result.cookies) == {}, name
            assert "auth_token" not in {one["name"] for one in await context.cookies()}, name
        told = sandbox.people.told()["accounts"][0]
        assert (told["logins"], told["wrong"] <= 1) == (0, True), name


async def test_a_kept_state_makes_the_next_login_one_of_a_known_browser(browser, sandbox: Sandbox) -> None:
    sandbox.people.register(ALICE)
    async with relayed(sandbox.exits.url("socks5")) as proxy:
        async with walking(browser, proxy) as (result, _, context):
            assert result.outcome == "logged_in", result.sentence
            state = await context.storage_state()
        if SOAK:
            async with walking(browser, proxy, state=state) as (again, walk, _):
                assert (again.outcome, walk.typed) == ("logged_in", []), "a session that is alive is used as it is"
        sandbox.people.expire()
        async with walking(browser, proxy, state=state) as (fresh, _, _):
            assert (fresh.outcome, fresh.cookies["kdt"]) == ("logged_in", result.cookies["kdt"])
            assert fresh.cookies["auth_token"] != result.cookies["auth_token"]
    told = sandbox.people.told()["accounts"][0]
    assert (told["logins"], told["known"]) == (2, 1)


@pytest.mark.skipif(not SOAK, reason="XGET_SOAK=1: the relay itself is tried in libs/sources")
async def test_a_proxy_that_refuses_the_password_is_said_to_be_the_proxys_fault(sandbox, tmp_path: Path) -> None:
    sandbox.people.register(ALICE)
    wrong = sandbox.exits.url("socks5").replace("secret", "other")
    result = await BrowserFlow(BrowserRules(home=tmp_path)).log_in(replace(GIVEN, proxy_url=Secret(wrong)), untold)
    assert (result.outcome, result.sentence) == ("network", "Its proxy does not answer: look at the proxy.")


FORM = """<!DOCTYPE html><body style="font: 16px monospace">
<input id="a" value="{0}"><input id="b" type="password"><textarea id="c">{0}</textarea><div contenteditable>{0}</div>
<p>You typed {1}.</p><iframe srcdoc="<input value='{0}'><p>{1}</p>"></iframe></body>"""


async def test_no_picture_shows_what_was_typed(browser, tmp_path: Path) -> None:
    page = await browser.new_page()
    await page.set_content(FORM.format(PASSWORD, f"{PASSWORD} twice: {PASSWORD}"))
    await page.fill("#b", PASSWORD)
    await page.evaluate("() => document.activeElement.blur()")
    assert await picture(page, str(tmp_path / "blanked.png"), [PASSWORD]) is not None
    for frame in page.frames:
        assert PASSWORD not in await frame.evaluate("() => document.body.innerText")
        values = "() => [...document.querySelectorAll('input, textarea')].map((e) => e.value).join('')"
        assert await frame.evaluate(values) == ""
    await page.set_content(FORM.format("", "******** twice: ********"))
    await picture(page, str(tmp_path / "empty.png"), [])
    assert (tmp_path / "blanked.png").read_bytes() == (tmp_path / "empty.png").read_bytes(), "pixel by pixel"


def test_only_the_newest_pictures_stay_and_none_for_long(tmp_path: Path) -> None:
    for number in range(PICTURES_KEPT + 20):
        path = tmp_path / f"{number:04}.png"
        path.write_bytes(b"x")
        os.utime(path, (1000.0, 1000.0 if number < PICTURES_KEPT + 15 else 2_000_000.0))
    keep_some(tmp_path, 1010.0)
    assert [path.stem for path in sorted(tmp_path.iterdir())] == [f"{n:04}" for n in range(21, PICTURES_KEPT + 20)]
    keep_some(tmp_path, 2_000_000.0)
    assert len(list(tmp_path.iterdir())) == 5
    assert tmp_path.stat().st_mode & 0o077 == 0 or tmp_path.stat().st_uid == os.getuid()


async def below(wanted: Callable[[str], bool]) -> int:
    """The process below this one whose command is wanted, as soon as there is one."""
    async with asyncio.timeout(120):
        while not (found := [pid for pid in tree.members(os.getpid()) if wanted(command_of(pid))]):  # noqa: ASYNC110 - processes of others set no event
            await asyncio.sleep(0.02)
    return found[0]


def check_nothing_is_left() -> None:
    assert left_below() == []


async def test_a_browser_that_is_killed_in_the_middle_is_an_outcome_and_leaves_nothing(sandbox, tmp_path) -> None:
    sandbox.people.register(ALICE)
    flow, given = BrowserFlow(BrowserRules(home=tmp_path)), replace(GIVEN, proxy_url=Secret(sandbox.proxy_url))
    opening, killed = asyncio.Event(), asyncio.Event()

    async def told(step: str) -> None:
        if step == "google":
            opening.set()
            await killed.wait()  # else a login is over before who is slow comes to kill it

    login = asyncio.create_task(flow.log_in(given, told))
    async with asyncio.timeout(120):
        await opening.wait()
    main = await below(lambda command: "--remote-debugging-pipe" in command and "--type=" not in command)
    os.kill(main, signal.SIGKILL)
    killed.set()
    result = await login
    assert (result.outcome, result.sentence[-1], dict(result.cookies)) == ("browser_crashed", ".", {})
    check_nothing_is_left()


@pytest.mark.skipif(not SOAK, reason="XGET_SOAK=1: that the time ends a login is tried without a browser")
async def test_a_browser_whose_time_is_over_leaves_nothing(sandbox, tmp_path: Path) -> None:
    sandbox.people.register(ALICE)
    flow, given = BrowserFlow(BrowserRules(home=tmp_path)), replace(GIVEN, proxy_url=Secret(sandbox.proxy_url))
    opening = asyncio.Event()

    async def told(step: str) -> None:
        if step == "google":
            opening.set()

    login = asyncio.create_task(flow.log_in(given, told))
    async with asyncio.timeout(120):
        await opening.wait()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(login, 0.01)
    check_nothing_is_left()


async def test_a_browser_over_its_cap_is_ended(sandbox, tmp_path: Path) -> None:
    sandbox.people.register(ALICE)
    flow = BrowserFlow(BrowserRules(home=tmp_path, memory_mb=60))
    result = await flow.log_in(replace(GIVEN, proxy_url=Secret(sandbox.proxy_url)), untold)
    assert (result.outcome, "XGET_LOGIN_MEMORY_MB" in result.sentence) == ("browser_too_big", True)
    check_nothing_is_left()


async def test_a_certificate_that_is_not_trusted_is_never_clicked_through(
    sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    sandbox.people.register(ALICE)
    monkeypatch.delenv("SSL_CERT_FILE")
    result = await BrowserFlow(BrowserRules(home=tmp_path)).log_in(
        replace(GIVEN, proxy_url=Secret(sandbox.proxy_url)), untold
    )
    assert (result.outcome, "certificate that is not trusted" in result.sentence) == ("network", True)
    assert sandbox.people.told()["accounts"][0]["started"] == 0
    check_nothing_is_left()


ANOTHER = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]
ANOTHER += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
"""Somebody without rights, who may read the programs of whoever runs this."""
STARTS = """
import asyncio, sys
from pathlib import Path
from xget_sources.browser.chromium import Wanted, browsing, sandboxed
async def start():
    async with browsing(Wanted(program=sys.argv[1], home=Path(sys.argv[2]))) as context:
        page = await context.new_page()
        await page.set_content("<title>here</title>")
        print(sandboxed(), await page.title())
asyncio.run(start())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root has tried it above")
@pytest.mark.parametrize("sandbox", ["on", "off"] if SOAK else ["on"])
def test_somebody_without_rights_starts_the_browser_with_its_sandbox_and_without(sandbox: str) -> None:
    if sandbox == "on" and subprocess.run([*ANOTHER, "unshare", "-U", "true"], check=False).returncode:
        pytest.skip("this machine gives nobody namespaces")
    home = tempfile.mkdtemp(prefix="xget-nobody-")
    os.chown(home, 65534, 65534)
    env = {**os.environ, "HOME": home, "TMPDIR": home, "XGET_CHROMIUM_SANDBOX": sandbox}
    command = [*ANOTHER, sys.executable, "-c", STARTS, find_chromium(None), home]
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=180, check=False)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    assert done.stdout.split() == [str(sandbox == "on"), "here"], done.stderr[-500:]
