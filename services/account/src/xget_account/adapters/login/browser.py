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
from secrets import token_hex
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
ENDED_S: Final = 12.0
"""So long a guard has to end a browser; it gives up on what does not die a little sooner."""
REAPED_S: Final = 5.0
"""So long the words of a process that was killed are waited for."""
DRIVER_OPTIONS: Final = "--max-old-space-size=64 --max-semi-space-size=1"
"""Megabytes of the heap of Playwright's driver, which runs on Node and takes what it is given."""
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
            folder = Path(tempfile.gettempdir()) / f"{PREFIX}{born(os.getpid())}-{token_hex(4)}"
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
            str(os.getpid()),
            str(folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            limit=LINE_BYTES,
            env={**os.environ, "TMPDIR": str(folder), "NODE_OPTIONS": DRIVER_OPTIONS},
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
            await _end(child)
            await asyncio.wait({answering}, timeout=REAPED_S)
            answering.cancel()
            await asyncio.gather(watching, answering, return_exceptions=True)

    async def _watch(self, pid: int) -> None:
        """Return when the browser takes more memory than it may."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            used = await asyncio.to_thread(tree.memory_mb, pid)
            self.peak_mb = max(self.peak_mb, used)
            if used > self._rules.memory_mb:
                log.warning("login_browser_too_big", megabytes=round(used))
                return


async def _end(child: asyncio.subprocess.Process) -> None:
    """Let the guard end all of it and remove its folder, so that nothing stays when this worker is killed meanwhile."""
    try:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        async with asyncio.timeout(ENDED_S):
            await child.wait()
    except TimeoutError:
        tree.kill(child.pid, frozenset(tree.members(child.pid)))
        await child.wait()


async def _talk(child: asyncio.subprocess.Process, order: bytes, on_step: OnStep) -> dict[str, Any]:
    """Give the order, pass on what the child tells of its steps, and return its end; empty when it died before."""
    end: dict[str, Any] = {}
    if child.stdin is None or child.stdout is None:
        return end
    with contextlib.suppress(ConnectionError):
        await _say(child.stdin, order)
        async for line in child.stdout:
            told = _line(line)
            if "step" in told:
                await on_step(str(told["step"]))
                await _say(child.stdin, b"\n")
            elif told:
                end = told
                break
    child.stdin.close()
    return end


def _line(line: bytes) -> dict[str, Any]:
    """What the child says; empty for what a library of its prints."""
    told: dict[str, Any] = {}
    with contextlib.suppress(orjson.JSONDecodeError, TypeError, ValueError):
        told.update(orjson.loads(line))
    return told


async def _say(stdin: asyncio.StreamWriter, line: bytes) -> None:
    stdin.write(line)
    await stdin.drain()


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
    """Remove folders of workers that were killed together with the guards of their browsers."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid, _, rest = folder.name.removeprefix(PREFIX).partition("-")
        if pid.isdecimal() and not f"{pid}-{rest}".startswith(f"{born(int(pid))}-"):
            shutil.rmtree(folder, ignore_errors=True)


def born(pid: int) -> str:
    """A process, and when it began: another one may have its number later. Without a time once it is gone."""
    try:
        return f"{pid}-{Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]}"
    except (OSError, IndexError):
        return f"{pid}-gone"
