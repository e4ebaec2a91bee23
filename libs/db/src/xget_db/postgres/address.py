"""Where a service's tables are on a PostgreSQL server, and how to talk to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from xget_kernel.engines import masked
from xget_kernel.errors import StartupError

CONNECT_SECONDS: Final = 5.0
_POOL: Final = {"pool_size": 4, "max_overflow": 4, "pool_timeout": 10}
_SETTINGS: Final = {
    "application_name": "xget",
    "TimeZone": "UTC",
    "statement_timeout": "10s",
    "lock_timeout": "8s",
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "30",
}
"""What a session asks of the server, unless the URL's query says otherwise."""
_PATIENT: Final = {"statement_timeout": "0", "lock_timeout": "120s", "idle_in_transaction_session_timeout": "0"}


@dataclass(frozen=True)
class Address:
    """A parsed URL. Holds the password: show `name` instead."""

    dsn: str = field(repr=False)
    schema: str
    pool: dict[str, int]

    @property
    def name(self) -> str:
        """The address without credentials, for people."""
        return masked(self.dsn).partition("?")[0]

    @property
    def channel(self) -> str:
        """Where commits that announce something are heard of."""
        return f"xget_{self.schema}"[:63]

    def slot(self, *words: str) -> int:
        """A number for an advisory lock: the same for the same words and schema in every process."""
        text = "\x1f".join((self.schema, *words)).encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)

    async def connect(self, *, patient: bool = False) -> Any:
        """A new connection; a `patient` one may wait for locks and work for long. Raises what asyncpg raises."""
        given = {name for name, _ in parse_qsl(urlsplit(self.dsn).query)}
        settings = {name: value for name, value in _SETTINGS.items() if name not in given}
        if patient:
            settings |= _PATIENT
        limit = None if patient else 15.0  # a little longer than the server's own, for a server that vanished
        return await asyncpg.connect(self.dsn, timeout=CONNECT_SECONDS, command_timeout=limit, server_settings=settings)


def is_postgres(url: str) -> bool:
    """Whether the URL names PostgreSQL."""
    return url.partition(":")[0].partition("+")[0].lower() in {"postgres", "postgresql"}


def parse(url: str) -> Address:
    """The address of `postgresql+asyncpg://user:password@host:port/database?search_path=service`.

    Of the query, `pool_size`, `max_overflow` and `pool_timeout` (seconds) are ours; the others go to the server as
    settings of the session, or to the driver (`sslmode`, `sslrootcert`). Raises StartupError.
    """
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        pool = {name: int(query.pop(name, default)) for name, default in _POOL.items()}
        valid = bool(parts.hostname) and len(parts.path) > 1 and parts.port != 0
    except ValueError as error:
        raise _wrong() from error
    schema = query.get("search_path", "public").split(",")[0].strip().strip('"')
    if not valid or not schema or pool["pool_size"] < 1:
        raise _wrong()
    query["search_path"] = ",".join(
        f'"{part.strip().strip(chr(34))}"' for part in query.get("search_path", "public").split(",")
    )
    dsn = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(query), ""))
    return Address(dsn, schema, pool)


def _wrong() -> StartupError:
    return StartupError(
        "The address of PostgreSQL is wrong: set POSTGRES_SERVER to its host, or DATABASE_URL like "
        "postgresql://user:password@host:5432/xget."
    )
