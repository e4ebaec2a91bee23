"""Words that are heard when a transaction has committed: in this process at once, in others through NOTIFY."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from sqlalchemy import Executable, Text, bindparam, event, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from xget_db.direct import Direct, Said
from xget_db.engine import Database
from xget_db.engine.sqlite import sqlite_path
from xget_db.postgres.address import is_postgres, parse
from xget_db.postgres.listening import Listener
from xget_db.sharing import shared


class Bell:
    """A named bell of a database. Who waits hears each word once, without polling.

    On SQLite it is heard within the process, on PostgreSQL by all processes. A process that dies after its commit was
    heard all the same; a connection that is lost is made again, and the empty word then says that some may have been
    missed.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._name = name
        self._listener: Listener | None = None
        self._channel = ""
        if is_postgres(database.url):
            address = parse(database.url)
            self._shared = shared(address.dsn)
            self._channel = f"{address.channel[:40]}_{name}"[:63]
            self._listener = Listener(address, self._channel, self._heard)
        else:
            self._shared = shared(str(sqlite_path(database.url).absolute()))

    def listen(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call `callback` with each word from now on; call the result to stop that. Within an event loop."""
        if self._listener is not None:
            self._listener.begin()
        return self._shared.hear(self._name, callback)

    @property
    def far(self) -> bool:
        """Whether other processes hear it."""
        return self._listener is not None

    async def ring(self, session: AsyncSession, words: Iterable[str]) -> None:
        """Say these words with the commit of a session; a rollback says nothing."""
        await session.run_sync(lambda inner: self.ring_with(inner, words))

    def ring_with(self, session: Session, words: Iterable[str]) -> None:
        """As `ring`, from within a flush or a hook of the session."""
        said = sorted(set(words))
        if self.far:
            for word in said:
                session.connection().execute(select(func.pg_notify(self._channel, f"{self._shared.origin} {word}")))
        self._after_commit(session, said)

    def ring_directly(self, direct: Direct, words: Iterable[str]) -> list[Said]:
        """As `ring`, with a transaction of `Database.directly()`; what it has to be told for that, if anything."""
        said = sorted(set(words))
        direct.after_commit(partial(self._say, said))
        told = {"channel": self._channel, "said": [f"{self._shared.origin} {word}" for word in said]}
        return [(_notify, told)] if self.far and said else []

    async def close(self) -> None:
        """Stop listening to other processes."""
        if self._listener is not None:
            await self._listener.close()

    def _after_commit(self, session: Session, words: list[str]) -> None:
        event.listen(session, "after_commit", lambda _session: self._say(words), once=True)

    def _say(self, words: list[str]) -> None:
        for word in words:
            self._shared.say(self._name, word)

    def _heard(self, payload: str) -> None:
        origin, _, word = payload.partition(" ")
        if origin != self._shared.origin:  # what this process said was heard already
            self._shared.say(self._name, word)


def _notify(_postgres: bool) -> Executable:
    said = func.unnest(bindparam("said", type_=ARRAY(Text)), type_=Text).column_valued("said")
    return select(func.pg_notify(bindparam("channel", type_=Text), said))
