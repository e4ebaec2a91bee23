"""Connections to a schema of a PostgreSQL server.

After kill -9 of the process or the server, what was committed is there and what was not is gone. Locks of a process
that died are free as soon as the server sees its connection closed, at the latest when its keep-alives fail.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from sqlalchemy import text

from xget_db import pending
from xget_db.direct import PostgresSender, Sender
from xget_db.engine.kept import Settings
from xget_db.engine.sessions import sessions_of
from xget_db.postgres.address import Address
from xget_db.postgres.announcing import Announcing
from xget_db.postgres.engines import open_engine, reading
from xget_db.postgres.listening import Listener
from xget_db.sharing import shared

T = TypeVar("T")

_NUMBER: Final = "SHOW server_version"
_BY_KEY: Final = {
    "plan_cache_mode": "force_generic_plan",
    **dict.fromkeys(("enable_seqscan", "enable_mergejoin", "enable_hashjoin", "enable_material"), "off"),
}
_PLANNED_ONCE: Final = Settings(
    "; ".join(f"SET {name} = {value}" for name, value in _BY_KEY.items()),
    "; ".join(f"RESET {name}" for name in _BY_KEY),
)
"""What happens at every page is planned once for a connection: to plan it takes longer than to do it. Such a plan may
outlive the day when a table was small or empty, so that it must read by key, and no table or index whole."""


class PostgresTables:
    """A bounded pool, and a connection that listens while somebody wants to hear of commits."""

    settings: Settings | None = _PLANNED_ONCE

    def __init__(self, address: Address) -> None:
        self._shared = shared(address.dsn)
        self.writer = open_engine(address)
        self.sessions = sessions_of(self.writer)
        self.readers = sessions_of(reading(self.writer))
        self._listener = Listener(address, address.channel, self._heard)
        pending.send_with_commit(self.sessions, self._shared.ring, Announcing(address, self._shared.origin))

    def _heard(self, origin: str) -> None:
        if origin != self._shared.origin:  # commits of this process have rung already
            self._shared.ring()

    async def turn(self) -> None:
        """Writers need not queue."""

    def sender(self, driver: Any) -> Sender:
        """What gives statements to a connection."""
        return PostgresSender(driver)

    async def finish(self, _driver: Any, work: Coroutine[Any, Any, T]) -> T:
        """Do work."""
        return await work

    def on_commit(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after commits of any process that emitted."""
        self._listener.begin()
        return self._shared.listen(callback)

    async def version(self) -> str:
        """Of the server."""
        async with self.readers() as session:
            number = str(await session.scalar(text(_NUMBER)))
        return f"PostgreSQL {number.split(maxsplit=1)[0]}"

    async def close(self) -> None:
        """Close all connections."""
        await self._listener.close()
        await self.writer.dispose()
