"""What all `Database` objects on one database share within a process.

SQLite lets one writer in at a time and makes the others poll; within a process they queue here instead, first come
first served. And a relay must hear of a commit at once, also when an API's and a worker's `Database` are two objects.
This is the one piece of process-wide state: it is keyed by address and goes when the last `Database` on it goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary, WeakValueDictionary

from xget_kernel.ids import new_id


class Shared:
    """The queue of writers (SQLite alone needs it) and the bell of one database."""

    def __init__(self) -> None:
        self.origin = new_id()
        """Names this process to others that hear its bell."""
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        self._listeners: list[Callable[[], None]] = []
        self._hearers: dict[str, list[Callable[[str], None]]] = {}

    def turn(self) -> asyncio.Lock:
        """Held by the writer of this event loop."""
        loop = asyncio.get_running_loop()
        turn = self._turns.get(loop)
        if turn is None:
            turn = self._turns[loop] = asyncio.Lock()
        return turn

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` at each ring; call what is returned to stop that."""
        self._listeners.append(callback)

        def stop() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return stop

    def hear(self, bell: str, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call `callback` with each word of a bell; call what is returned to stop that."""
        hearers = self._hearers.setdefault(bell, [])
        hearers.append(callback)

        def stop() -> None:
            if callback in hearers:
                hearers.remove(callback)

        return stop

    def say(self, bell: str, word: str) -> None:
        for callback in tuple(self._hearers.get(bell, ())):
            callback(word)

    def ring(self) -> None:
        for callback in tuple(self._listeners):
            callback()


_SHARED: WeakValueDictionary[str, Shared] = WeakValueDictionary()


def shared(place: str) -> Shared:
    """The one `Shared` of the database at `place`, the absolute path of a file or a server's address."""
    return _SHARED.setdefault(place, Shared())
