"""One process under supervision: started, restarted with growing pauses, stopped."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from xget_standalone.cluster.plan import Spec

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 10.0
"""With a start and the wait for a dead member's partitions, work goes on within half a minute of the last death."""
HEALTHY_SECONDS: Final = 10.0
"""A process that has been ready for so long starts again with a short pause."""
REFUSED: Final = 2
"""Exit code of a process that says, on one line, why it does not start."""
FIRST_TRIES: Final = 3
"""A process that has never been ready is not tried more often."""
LOG_BYTES: Final = 20_000_000


class Child:
    """Keeps one process running until `stop`. `changed` is called after each start and end, `tell` gets sentences."""

    def __init__(self, spec: Spec, log: Path, changed: Callable[[], None], tell: Callable[[str], None]) -> None:
        self.spec = spec
        self.log = log
        self.pid = 0
        self.starts = 0
        self.ready = asyncio.Event()
        """Set when it has been ready once, or never will be."""
        self.refusal = ""
        """Why it does not start, in its own words."""
        self._changed = changed
        self._tell = tell
        self._stopping = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._ready_at = 0.0

    async def run(self) -> None:
        """Run it, again and again; ends after `stop`, or when it never got ready."""
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            code = await self._once()
            if self._stopping.is_set():
                return
            if self._ready_at and time.monotonic() - self._ready_at >= HEALTHY_SECONDS:
                pause = FIRST_PAUSE
            if self._hopeless(refused=code == REFUSED):
                return
            waits = pause * random.uniform(0.5, 1.0)
            self._tell(f"{self.spec.name} ended ({code}); again in {waits:.1f} s. {self._last_line()}")
            pause = min(pause * 2, LONGEST_PAUSE)
            await self._pause(waits)

    async def stop(self, seconds: float) -> None:
        """SIGTERM, and SIGKILL when it has not ended after `seconds`."""
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            self._tell(f"{self.spec.name} did not end in {seconds:.0f} s and is killed.")
            process.kill()
            await process.wait()

    def _hopeless(self, *, refused: bool) -> bool:
        """Whether to give up. What was ready once is tried for ever: an engine may be away for hours."""
        if self.ready.is_set() or not (refused or self.starts >= FIRST_TRIES):
            return False
        self.refusal = self._last_line() or f"it ended at once; {self.log} may say why."
        self.ready.set()
        return True

    async def _once(self) -> int:
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._process = process = await asyncio.create_subprocess_exec(
                *self.spec.command,
                env=self.spec.env,
                stdin=asyncio.subprocess.PIPE,  # its lifeline: it drains when we die
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for us: we stop it in order
            )
            self.pid, self.starts, self._ready_at = process.pid, self.starts + 1, 0.0
            self._changed()
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            if await process.stdout.readline():
                self._ready_at = time.monotonic()
                self.ready.set()
            while line := await process.stdout.readline():
                log.write(line)
                log.flush()
            code = await process.wait()
        if process.stdin is not None:
            process.stdin.close()
        self.pid = 0
        self._changed()
        return code

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _last_line(self) -> str:
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 4000))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1].removeprefix("xget: ")[:500] if lines else ""
