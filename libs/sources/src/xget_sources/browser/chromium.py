"""Starts the system's Chromium for one context."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from playwright.async_api import BrowserContext, async_playwright

from xget_sources.browser.finding import NoChromium
from xget_sources.browser.relay import needs_relay, relayed

SANDBOX: Final = "XGET_CHROMIUM_SANDBOX"
LANGUAGE: Final = "en-US"
FLAGS: Final = (
    "--disable-gpu",
    "--in-process-gpu",
    "--disable-site-isolation-trials",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-crash-reporter",
    "--no-first-run",
    "--renderer-process-limit=1",
    "--disable-features=PreloadTopChromeWebUI,SpareRendererForSitePerProcess,InitialWebUI,HttpsUpgrades,LensOverlay,"
    "MediaRouter,OptimizationHints,PaintHolding,Translate",
    "--js-flags=--max-old-space-size=160",
)

UNSANDBOXED: Final = ("--no-zygote",)
"""Saves a process; Chromium takes it only without its sandbox."""


@dataclass(frozen=True)
class Wanted:
    """How a browser is to be. `home` is a folder of its own, which the caller removes afterwards."""

    program: str
    home: Path
    headless: bool = True
    user_agent: str | None = None
    proxy_url: str | None = None
    state: Mapping[str, Any] | None = None
    ca_file: str | None = None
    """Authorities to trust beside the system's."""


@asynccontextmanager
async def browsing(wanted: Wanted) -> AsyncIterator[BrowserContext]:
    """One context, in memory only. Raises Playwright's Error when Chromium does not start."""
    await _trust(wanted)
    async with _reachable(wanted.proxy_url) as proxy_url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=wanted.program,
            headless=wanted.headless,
            args=[*FLAGS, *(() if sandboxed() else UNSANDBOXED)],
            chromium_sandbox=sandboxed(),
            env={**os.environ, "HOME": str(wanted.home), "XDG_CONFIG_HOME": str(wanted.home / ".config")},
        )
        try:
            context = await browser.new_context(
                user_agent=wanted.user_agent,
                proxy=proxy_settings(proxy_url) if proxy_url else None,
                storage_state=dict(wanted.state) if wanted.state else None,  # type: ignore[arg-type]  # its own words
                locale=LANGUAGE,
                service_workers="block",
            )
            yield context
        finally:
            await browser.close()


def sandboxed() -> bool:
    """Whether Chromium's own sandbox is used: always, but for root, whom it refuses, and where XGET_CHROMIUM_SANDBOX
    is `off`, as in a container whose rules allow it no namespaces of its own."""
    return os.geteuid() != 0 and os.environ.get(SANDBOX, "on") != "off"


@asynccontextmanager
async def _reachable(proxy_url: str | None) -> AsyncIterator[str | None]:
    """A proxy that Chromium can log in to."""
    if proxy_url is None or not needs_relay(proxy_url):
        yield proxy_url
        return
    async with relayed(proxy_url) as url:
        yield url


def proxy_settings(url: str) -> Any:
    """A proxy URL in Playwright's words."""
    parts = urlsplit(url)
    settings = {"server": f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"}
    if parts.username:
        settings |= {"username": unquote(parts.username), "password": unquote(parts.password or "")}
    return settings


async def _trust(wanted: Wanted) -> None:
    if not wanted.ca_file:
        return
    command = [sys.executable, "-m", "xget_sources.browser.trust", str(wanted.home), wanted.ca_file]
    child = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await child.communicate()
    if child.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-1:]
        raise NoChromium(f"Chromium cannot be told of SSL_CERT_FILE: {' '.join(last)[:200]}")
