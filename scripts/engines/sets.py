"""A named set of engines: start, kill, stop, tell."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from engines import ports
from engines.engine import Engine
from engines.errors import EngineError
from engines.install import locked, say
from engines.kinds import KINDS
from engines.places import cache, set_folder
from engines.processes import end, kill, look_up, marked, tree
from engines.servers import masked, spawn, wait_ready
from engines.state import State


class EngineSet:
    """The engines of one name. Methods that change it hold its lock; they are safe to call at any time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = set_folder(name)
        self.lock = self.folder.parent / f"{name}.lock"
        self.cancelled = threading.Event()

    def states(self) -> dict[str, State]:
        """What is known of each engine that was ever started here."""
        found = {name: State.read(self.folder / name) for name in KINDS}
        return {name: state for name, state in found.items() if state}

    def urls(self) -> dict[str, str]:
        """URLs of the engines that run."""
        return {name: state.url for name, state in self.states().items() if state.running}

    def start(self, names: Iterable[str], *, fresh: bool = False) -> dict[str, str]:
        """Start those that do not run, all at once; what went wrong by name, empty when all are ready."""
        names = list(names)
        with locked(self.lock):
            if fresh:
                self._stop(names)
                for name in names:
                    shutil.rmtree(self.folder / name, ignore_errors=True)
            with ThreadPoolExecutor(len(names) or 1) as pool:
                try:
                    results = dict(zip(names, pool.map(self._try, names), strict=True))
                except KeyboardInterrupt:
                    self.cancelled.set()
                    raise
        return {name: failure for name, failure in results.items() if failure}

    def _try(self, name: str) -> str:
        try:
            self._start(name)
        except EngineError as error:
            return str(error)
        except OSError as error:
            return f"{name} could not be started: {error}"
        return ""

    def _start(self, name: str) -> None:
        folder = self.folder / name
        state = State.read(folder)
        if state and state.running:
            return
        kill(marked(folder))  # a server of ours whose state was lost, or what a killed one left
        begun = time.monotonic()
        engine = self._engine(name, state)
        engine.prepare()
        server = spawn(engine)
        process = look_up(server.pid)
        started = process.started if process else ""
        State(name, engine.ports, engine.password, engine.url(), server.pid, started).write(folder)
        wait_ready(engine, server, self.cancelled)
        say(f"{name} is ready at {masked(engine.url())} after {time.monotonic() - begun:.1f} s")

    def _engine(self, name: str, state: State | None) -> Engine:
        """The engine with its ports and password, new ones when there is no state to go on from."""
        folder = self.folder / name
        kind = KINDS[name]
        if not state:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        if not state:
            with locked(cache() / "run" / ".ports.lock"):
                state = State(name, ports.free(kind.ports_needed), secrets.token_urlsafe(18))
                state.write(folder)
        engine = kind(folder, state.ports, state.password)
        engine.install()
        return engine

    def kill(self, name: str) -> None:
        """SIGKILL an engine with all its children; ports and data stay."""
        with locked(self.lock):
            state = self.states().get(name)
            if not state or not state.running:
                raise EngineError(f"{name} does not run in set {self.name}.")
            kill(tree(state.process))

    def stop(self, names: Iterable[str]) -> None:
        """Stop those that run; nothing happens to the others. Data stay."""
        with locked(self.lock):
            self._stop(names)

    def remove(self) -> None:
        """Stop all and delete their data and every trace of the set."""
        with locked(self.lock):
            self._stop(KINDS)
            shutil.rmtree(self.folder, ignore_errors=True)
            self.lock.unlink(missing_ok=True)

    def _stop(self, names: Iterable[str]) -> None:
        names = list(names)
        with ThreadPoolExecutor(len(names) or 1) as pool:
            list(pool.map(self._end, names))

    def _end(self, name: str) -> None:
        folder = self.folder / name
        state = State.read(folder)
        if state and state.running:
            end(state.process, KINDS[name].stop_signal, KINDS[name].stop_seconds)
            replace(state, pid=0, started="").write(folder)
            say(f"{name} of set {self.name} has stopped")
        kill(marked(folder))
