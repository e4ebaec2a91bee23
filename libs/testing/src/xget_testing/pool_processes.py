"""A pool simulation over several worker processes: this process is the clock and X.

The workers' takers ask one pool in this process, as workers ask one account service, or each has a pool of its own on
a database that all share, as replicas of the service do. A worker tells when all of it waits for the clock and until
when. The clock goes on to the earliest of these moments once a whole round of all processes had nothing to do: what one
does may have woken another. Run as a program, this is a worker of the first kind.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from xget_testing.pool_simulation import Figures, Said, Scene, SimulatedPool, Ticket, VirtualClock, XWindows, begin, end

ROOT = Path(__file__).resolve().parents[4]


Opened = Callable[[VirtualClock], AbstractAsyncContextManager[SimulatedPool]]
WORKER: Final = ("-m", "xget_testing.pool_processes")


async def simulate_for_processes(scene: Scene, processes: int, opened: Opened) -> tuple[Figures, XWindows]:
    """Worker processes that ask the pool which `opened` gives here; what all of them came to."""
    platform = _Platform(scene, processes)
    async with opened(platform.clock) as pool:
        platform.pool = pool
        return await _simulate(platform, processes, WORKER)


async def simulate_in_processes(scene: Scene, processes: int, words: Sequence[str]) -> tuple[Figures, XWindows]:
    """Run `python <words> <socket>`, which calls `work`, so many times; what all of them came to."""
    return await _simulate(_Platform(scene, processes), processes, words)


async def _simulate(platform: _Platform, processes: int, words: Sequence[str]) -> tuple[Figures, XWindows]:
    with tempfile.TemporaryDirectory(prefix="xget-sim-") as folder:
        socket = f"{folder}/s"
        server = await asyncio.start_unix_server(platform.connected, socket)
        begun = [
            await asyncio.create_subprocess_exec(sys.executable, *words, socket, cwd=ROOT) for _ in range(processes)
        ]
        watching = asyncio.gather(*(process.wait() for process in begun))
        try:
            return await platform.run(watching), platform.windows
        finally:
            for process in begun:
                with suppress(ProcessLookupError):
                    process.kill()
            await watching
            server.close()
            await server.wait_closed()


class _Platform:
    """X's windows, the time and perhaps the pool, for worker processes that connect."""

    def __init__(self, scene: Scene, processes: int) -> None:
        self.clock = VirtualClock()
        self.windows = XWindows(self.clock, scene.limit)
        self.pool: SimulatedPool | None = None
        self._scene = scene
        self._processes = processes
        self._tickets: dict[int, Ticket] = {}
        self._workers: list[asyncio.StreamWriter] = []
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._asking: set[asyncio.Task[None]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _send(writer, number=len(self._workers), scene=asdict(self._scene))
        self._workers.append(writer)
        try:
            while line := await reader.readline():
                said = json.loads(line)
                if "ask" not in said:
                    self._said.put_nowait(said)
                    continue
                task = asyncio.create_task(self._answer(writer, **said))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
        finally:
            writer.close()

    async def run(self, watching: asyncio.Future[list[int]]) -> Figures:
        running = asyncio.ensure_future(self._run())
        both: list[asyncio.Future[Any]] = [running, watching]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            running.cancel()
            raise RuntimeError(f"The worker processes ended too early: {watching.result()}.")
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        return running.result()

    async def _run(self) -> Figures:
        await self._hear()  # each has opened its pool
        now: float | None = 0.0
        while now is not None and now <= self._scene.seconds:
            before = self.clock.worked
            self.clock.reach(now)
            await self.clock.settle()
            heard = await self._tell(to=now)
            await self.clock.settle()
            if self.clock.worked == before and not any(said["worked"] for said in heard):
                moments = [self.clock.next_wake(), *(said["next"] for said in heard)]
                now = min((moment for moment in moments if moment is not None), default=None)
        ends = await self._tell(stop=True)
        return Figures(sum(said["pages"] for said in ends), sum(said["lost"] for said in ends))

    async def _answer(self, writer: asyncio.StreamWriter, ask: int, **words: Any) -> None:
        if "account" in words:
            answered, left, reset_at = self.windows.take(words["account"])
            _send(writer, ask=ask, answered=answered, left=left, reset=reset_at.timestamp())
        elif "holder" in words:
            ticket = await self._lent(words["holder"])
            _send(writer, ask=ask, account=ticket and ticket.account, ticket=ticket and id(ticket))
        elif self.pool is not None:
            ticket = self._tickets[words.pop("ticket")]
            if not words:
                del self._tickets[id(ticket)]
                done = await self.pool.back(ticket)
            else:
                reset_at = datetime.fromtimestamp(words.pop("reset"), UTC)
                done = await self.pool.told(ticket, limit=self._scene.limit, reset_at=reset_at, **words)
            _send(writer, ask=ask, done=done)

    async def _lent(self, holder: str) -> Ticket | None:
        assert self.pool is not None
        ticket = await self.pool.take(holder)
        if ticket is not None:
            self._tickets[id(ticket)] = ticket
        return ticket

    async def _tell(self, **words: Any) -> list[dict[str, Any]]:
        for worker in self._workers:
            _send(worker, **words)
        return await self._hear()

    async def _hear(self) -> list[dict[str, Any]]:
        return [await self._said.get() for _ in range(self._processes)]


async def work(socket: str, opened: Opened | None = None) -> None:
    """A worker process: takers on the pool that `opened` gives, or on that of the clock's process, until it is over."""
    reader, writer = await asyncio.open_unix_connection(socket)
    hello = json.loads(await reader.readline())
    scene, clock, figures = Scene(**hello["scene"]), VirtualClock(), Figures()
    asking = _Asking(writer, clock)
    async with opened(clock) if opened else nullcontext(asking) as pool:
        chance = random.Random(7 + hello["number"])
        listening = asyncio.create_task(asking.listen(reader))
        takers = begin(clock, asking.request, pool, scene, f"{hello['number']}", figures, chance)
        _send(writer, ready=True)
        while (to := await asking.steps.get()) is not None:
            before = clock.worked
            clock.reach(to)
            await clock.settle()
            if any(task.done() for task in takers):
                break
            _send(writer, next=clock.next_wake(), worked=clock.worked - before)
        listening.cancel()
        await end(takers)
    _send(writer, pages=figures.pages, lost=figures.lost_holders)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


class _Asking:
    """The way to X, the clock and the pool."""

    def __init__(self, writer: asyncio.StreamWriter, clock: VirtualClock) -> None:
        self._writer = writer
        self._clock = clock
        self._numbers = itertools.count()
        self._open: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.steps: asyncio.Queue[float | None] = asyncio.Queue()

    async def request(self, account: str) -> Said:
        with self._clock.working():
            said = await self._ask(account=account)
        return said["answered"], said["left"], datetime.fromtimestamp(said["reset"], UTC)

    async def take(self, holder: str) -> Ticket | None:
        """An account of the other process's pool. Who waits there waits for the clock: it does not stand still."""
        with self._clock.working():
            asked = asyncio.ensure_future(self._ask(holder=holder))
            await asyncio.sleep(0)
        said = await asked
        return Ticket(said["account"], said["ticket"]) if said["account"] else None

    async def told(self, ticket: Ticket, *, answered: bool, limit: int, left: int, reset_at: datetime) -> bool:
        with self._clock.working():
            words = {"answered": answered, "left": left, "reset": reset_at.timestamp()}
            return bool((await self._ask(ticket=ticket.token, **words))["done"])

    async def back(self, ticket: Ticket) -> bool:
        with self._clock.working():
            return bool((await self._ask(ticket=ticket.token))["done"])

    async def _ask(self, **words: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        _send(self._writer, ask=number, **words)
        return await answer

    async def listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            said = json.loads(line)
            if "ask" in said:
                self._open.pop(said.pop("ask")).set_result(said)
            else:
                self.steps.put_nowait(said.get("to"))
        self.steps.put_nowait(None)


def _send(writer: asyncio.StreamWriter, **words: Any) -> None:
    writer.write(json.dumps(words).encode() + b"\n")


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
