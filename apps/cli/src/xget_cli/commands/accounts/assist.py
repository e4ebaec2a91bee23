"""`xget accounts assist`: a person logs an account in, in a browser on this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from cyclopts import Parameter
from playwright.async_api import BrowserContext, Error

from xget_cli.client import Client
from xget_cli.errors import CliError
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json
from xget_cli.subjects import ANY, Account, Which, account_path
from xget_sources.browser.chromium import Wanted, browsing
from xget_sources.browser.finding import NoChromium, find_chromium

START: Final = "https://x.com/i/flow/login"
LOOK_EVERY_S: Final = 0.3
RENEW_EVERY_S: Final = 15.0
NO_DISPLAY: Final = (
    "There is no display here, so no browser can be shown. Run this on a machine with one (--url names the gateway), "
    "or log in with any browser and give its cookies: xget accounts import cookies.txt"
)


def assist(
    account: Account,
    *,
    minutes: Annotated[float, Parameter(help="How long to wait for you; at most 30.")] = 25.0,
    headless: Annotated[bool, Parameter(negative="", help="Without a window: for tests.", show=False)] = False,
    which: Which = ANY,
    common: Common = DEFAULTS,
) -> int:
    """Open a browser with the account's proxy and session, for you to log in; what it has then is kept.

    The browser's profile is in memory and goes with the window. The account's password is not shown: type it.
    """
    if not headless and not _display():
        raise CliError(NO_DISPLAY)
    try:
        program = find_chromium(os.environ.get("XGET_CHROMIUM"))
    except NoChromium as error:
        raise CliError(str(error)) from error
    with Client(common.url) as client:
        path = f"{account_path(client, account, which)}/assist"
        ticket = client.post(path, {})
        if not common.json:
            line(f"Log {ticket['username']} in; this ends by itself when X shows the home page. Ctrl-C gives up.")
        path, state = f"{path}/{ticket['attempt_id']}", None
        hold = Hold(client, path, ticket["ticket"])
        try:
            state = _by_hand(program, ticket, hold, headless=headless, seconds=min(minutes, 30.0) * 60)
        finally:
            ended = None if hold.lost else client.post(path, {"ticket": ticket["ticket"], "browser_state": state})
    if ended is None:
        raise CliError(f"{hold.lost} Nothing was kept.")
    print_json(ended) if common.json else line(f"{ended['outcome']}: {ended['sentence']}")
    return 0 if ended["outcome"] == "logged_in" else 1


class Hold:
    """Shows the service that the browser is open: who stops doing so loses the account within a minute."""

    def __init__(self, client: Client, path: str, ticket: str) -> None:
        self.lost = ""
        """Why the ticket is void, once it is."""
        self._client = client
        self._path = path
        self._ticket = ticket

    async def keep(self) -> None:
        """Renew the ticket until it is void. A service that does not answer is asked again."""
        while not self.lost:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                await asyncio.to_thread(self._client.post, f"{self._path}/renew", {"ticket": self._ticket})
            except CliError as error:
                if int(error.problem.get("status", 503)) < 500:
                    self.lost = str(error)


def _display() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _by_hand(
    program: str, ticket: dict[str, Any], hold: Hold, *, headless: bool, seconds: float
) -> dict[str, Any] | None:
    """What the browser has once it is logged in; None when the person gave up."""
    home = Path(tempfile.mkdtemp(prefix=f"xget-assist-{os.getpid()}-"))
    command = [sys.executable, "-m", "xget_sources.browser.guarding", str(os.getpid()), str(home)]
    quiet = subprocess.DEVNULL
    watch = subprocess.Popen(command, stdin=quiet, stdout=quiet, start_new_session=True)  # noqa: S603 - our own module
    wanted = Wanted(
        program=program,
        home=home,
        headless=headless,
        user_agent=ticket["user_agent"],
        proxy_url=ticket["proxy_url"],
        state=ticket["browser_state"],
        ca_file=os.environ.get("SSL_CERT_FILE"),
    )
    try:
        return asyncio.run(_watched(wanted, hold, seconds))
    except NoChromium as error:
        raise CliError(str(error)) from error
    except (Error, KeyboardInterrupt, asyncio.CancelledError):
        return None  # the window was closed, or Ctrl-C, or SIGTERM
    finally:
        shutil.rmtree(home, ignore_errors=True)
        watch.kill()
        watch.wait()


async def _watched(wanted: Wanted, hold: Hold, seconds: float) -> dict[str, Any] | None:
    until = time.monotonic() + seconds
    if (task := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    keeping = asyncio.create_task(hold.keep())
    try:
        async with browsing(wanted) as context:
            page = await context.new_page()
            await page.goto(START)
            while time.monotonic() < until and context.pages and not hold.lost:
                if await _logged_in(context):
                    return dict(await context.storage_state())
                await asyncio.sleep(LOOK_EVERY_S)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    return None


async def _logged_in(context: BrowserContext) -> bool:
    """Whether X has given a session and shows the home page."""
    names = {one["name"] for one in await context.cookies("https://x.com/")}
    home = any(urlsplit(page.url).path == "/home" for page in context.pages)
    return home and {"auth_token", "ct0"} <= names
