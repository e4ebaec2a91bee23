"""Logs in with Chromium, in a process of its own with caps on time and memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from xget_account.adapters.login.wire import wire
from xget_account.ports import Credentials, LoginResult
from xget_kernel.secrets import Secret
from xget_sources.browser import tree
from xget_sources.browser.finding import NoChromium, find_chromium
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

WATCH_EVERY_S: Final = 0.5
PICTURES_KEPT: Final = 100
PREFIX: Final = "xget-browser-"
"""Of folders in the system's temporary folder: Chromium makes a socket there, whose path must be short."""


@dataclass(frozen=True)
class BrowserRules:
    """Where the browser is, what it may take, and where the codes' mailboxes are."""

    home: Path
    program: str | None = None
    memory_mb: float = 800.0
    imap_hosts: str = ""
    code_seconds: float = 60.0


class BrowserFlow:
    """Implements `LoginFlow` with the pages of X and Google. One browser at a time."""

    def __init__(self, rules: BrowserRules) -> None:
        self._rules = rules
        self._one = asyncio.Lock()
        self.peak_mb = 0.0

    async def log_in(self, given: Credentials) -> LoginResult:
        """Log in once."""
        try:
            program = find_chromium(self._rules.program)
        except NoChromium as error:
            return LoginResult("no_browser", str(error))
        async with self._one:
            sweep()
            folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
            try:
                return await self._in_child(given, program, folder)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    async def _in_child(self, given: Credentials, program: str, folder: Path) -> LoginResult:
        pictures = self._rules.home / "screenshots"
        pictures.mkdir(parents=True, exist_ok=True, mode=0o700)
        order = {
            "given": wire(given),
            "program": program,
            "home": str(folder),
            "picture": str(pictures / f"{given.attempt_id}.png"),
            "imap_hosts": self._rules.imap_hosts,
            "code_seconds": self._rules.code_seconds,
        }
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "xget_account.adapters.login.child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(folder)},
        )
        watching = asyncio.create_task(self._watch(child.pid))
        answering = asyncio.create_task(child.communicate(orjson.dumps(order) + b"\n"))
        try:
            await asyncio.wait({watching, answering}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                return LoginResult(
                    "browser_too_big",
                    f"Chromium took more than {self._rules.memory_mb:.0f} MB and was ended: XGET_LOGIN_MEMORY_MB.",
                )
            return _read(answering.result()[0], pictures)
        finally:
            watching.cancel()
            tree.kill(child.pid, frozenset(tree.members(child.pid)))
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(answering)
            await child.wait()

    async def _watch(self, pid: int) -> None:
        """Return when the browser takes more memory than it may."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            used = await asyncio.to_thread(tree.memory_mb, pid)
            self.peak_mb = max(self.peak_mb, used)
            if used > self._rules.memory_mb:
                log.warning("login_browser_too_big", megabytes=round(used))
                return


def _read(answer: bytes, pictures: Path) -> LoginResult:
    try:
        told: dict[str, Any] = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return LoginResult("browser_crashed", "Chromium or its driver ended during the login.")
    for old in sorted(pictures.glob("*.png"))[:-PICTURES_KEPT]:
        old.unlink(missing_ok=True)
    state = told.pop("browser_state", None)
    return LoginResult(**told, browser_state=Secret(state) if state else None)


def sweep() -> None:
    """Remove folders that killed workers left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)
