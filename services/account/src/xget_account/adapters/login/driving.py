"""What the browser's process does: it takes one login on stdin and answers on stdout, its steps and then its end.

Each is a line of JSON. After each step it waits for an empty line: the worker has written the step down by then, and
still holds the login.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import orjson
from playwright.async_api import BrowserContext, Error

from xget_account.adapters.login.mail import MailHosts
from xget_account.adapters.login.seeing import picture
from xget_account.adapters.login.walking import Walk
from xget_account.adapters.login.wire import credentials
from xget_account.ports import LOGGED_IN, LoginResult
from xget_sources.browser.chromium import Wanted, browsing
from xget_sources.browser.finding import NoChromium

NO_SANDBOX = (
    "Chromium's sandbox may not start here: allow it namespaces of its own, or, in a container without any privilege, "
    "set XGET_CHROMIUM_SANDBOX=off."
)


async def log_in(order: dict[str, Any]) -> dict[str, Any]:
    """Do what the order says."""
    given = credentials(order["given"])
    wanted = Wanted(
        program=order["program"],
        home=Path(order["home"]),
        user_agent=given.user_agent,
        proxy_url=given.proxy_url.reveal() if given.proxy_url else None,
        state=orjson.loads(given.browser_state.reveal()) if given.browser_state else None,
        ca_file=os.environ.get("SSL_CERT_FILE"),
    )
    try:
        async with browsing(wanted) as context:
            walk = Walk(context, given, MailHosts.parse(order["imap_hosts"]), order["code_seconds"], _step)
            return await _walked(walk, context, order["picture"])
    except NoChromium as error:
        return _told(LoginResult("no_browser", str(error)))
    except Error as error:
        return _told(_broken(error))


async def _walked(walk: Walk, context: BrowserContext, path: str) -> dict[str, Any]:
    try:
        result = await walk.run()
    except Error as error:
        result = _broken(error)
    told = _told(result)
    if result.outcome == LOGGED_IN:
        told["browser_state"] = orjson.dumps(await context.storage_state()).decode()
    elif context.pages:
        told["screenshot"] = await picture(context.pages[-1], path, walk.typed)
    return told


def _broken(error: Error) -> LoginResult:
    """Playwright's messages may hold what was typed: only the kind of trouble is told."""
    text = str(error)
    if "No usable sandbox" in text or "Failed to move to new namespace" in text:
        return LoginResult("no_browser", NO_SANDBOX)
    if "ERR_PROXY" in text or "ERR_TUNNEL" in text:
        return LoginResult("network", "Its proxy does not answer: look at the proxy.")
    if "ERR_CERT" in text:
        return LoginResult("network", "X shows a certificate that is not trusted here: look at SSL_CERT_FILE.")
    if "net::ERR" in text or "Timeout" in text:
        return LoginResult("network", "X cannot be reached with a browser: look at the proxy.")
    return LoginResult("browser_crashed", "Chromium ended during the login.")


def _told(result: LoginResult) -> dict[str, Any]:
    return {"outcome": result.outcome, "sentence": result.sentence, "cookies": dict(result.cookies)}


async def _step(word: str) -> None:
    _say({"step": word})
    if not await asyncio.to_thread(sys.stdin.buffer.readline):
        os._exit(1)  # nobody waits for this login any more


def _say(line: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    sys.stdout.buffer.flush()


async def drive() -> None:
    """Do the login that comes on stdin."""
    order = orjson.loads(await asyncio.to_thread(sys.stdin.buffer.readline))
    await _step("starting")
    _say(await log_in(order))
