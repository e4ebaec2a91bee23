"""Logs in with Chromium, in a process of its own with caps on time and memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from xget_account.adapters.login.wire import wire
from xget_account.ports import Credentials, LoginResult, OnStep
from xget_kernel.secrets import Secret
from xget_sources.browser import tree
from xget_sources.browser.finding import NoChromium, find_chromium
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

WATCH_EVERY_S: Final = 0.5
PICTURES_KEPT: Final = 100
PICTURE_SECONDS: Final = 14 * 86_400
LINE_BYTES: Final = 32 * 1024 * 1024
"""A browser's state is one line."""
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

    async def log_in(self, given: Credentials, on_step: OnStep) -> LoginResult:
        """Log in once."""
        try:
            program = find_chromium(self._rules.program)
        except NoChromium as error:
            return LoginResult("no_browser", str(error))
        async with self._one:
            sweep()
            folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
            try:
                return await self._in_child(given, program, folder, on_step)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    async def _in_child(self, given: Credentials, program: str, folder: Path, on_step: OnStep) -> LoginResult:
        pictures = self._rules.home / "screenshots"
        await asyncio.to_thread(keep_some, pictures, time.time())
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
            limit=LINE_BYTES,
            env={**os.environ, "TMPDIR": str(folder)},
        )
        watching = asyncio.create_task(self._watch(child.pid))
        answering = asyncio.create_task(_talk(child, orjson.dumps(order) + b"\n", on_step))
        try:
            await asyncio.wait({watching, answering}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                return LoginResult(
                    "browser_too_big",
                    f"Chromium took more than {self._rules.memory_mb:.0f} MB and was ended: XGET_LOGIN_MEMORY_MB.",
                )
            return _read(answering.result())
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


async def _talk(child: asyncio.subprocess.Process, order: bytes, on_step: OnStep) -> dict[str, Any]:
    """Give the order, pass on what the child tells of its steps, and return its end; empty when it died before."""
    end: dict[str, Any] = {}
    if child.stdin is None or child.stdout is None:
        return end
    with contextlib.suppress(ConnectionError):
        child.stdin.write(order)
        await child.stdin.drain()
    child.stdin.close()
    async for line in child.stdout:
        with contextlib.suppress(orjson.JSONDecodeError):
            told: dict[str, Any] = orjson.loads(line)
            if "step" in told:
                on_step(str(told["step"]))
            else:
                end = told
    return end


def _read(told: dict[str, Any]) -> LoginResult:
    if not told:
        return LoginResult("browser_crashed", "Chromium or its driver ended during the login.")
    state = told.pop("browser_state", None)
    return LoginResult(**told, browser_state=Secret(state) if state else None)


def keep_some(pictures: Path, now: float) -> None:
    """Make the folder of pictures, for its owner alone; only the newest stay, and none for longer than a fortnight."""
    pictures.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number, old in enumerate(sorted(pictures.glob("*.png"), reverse=True), 1):
        if number >= PICTURES_KEPT or now - old.stat().st_mtime > PICTURE_SECONDS:
            old.unlink(missing_ok=True)


def sweep() -> None:
    """Remove folders that killed workers left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)
