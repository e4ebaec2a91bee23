"""Keys that are gone while secrets are stored: told before anything starts, and done without on request."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from xget_db.data_keys import InTable, lost_keys, open_keys, stored, there
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_db.sealed import Count, Place, SealedRows, Unreadable
from xget_kernel.clock import SystemClock
from xget_kernel.errors import StartupError, Unavailable, XGetError
from xget_kernel.keys import Wrapping
from xget_kernel.secrets import Keyring
from xget_kernel.settings import ServiceSettings
from xget_standalone.choices import home_of, keys_of
from xget_standalone.home import Home
from xget_standalone.migration.keys import KEEPERS, sealed_of
from xget_standalone.starting import explained

_PIECE: Final = 500
_PATIENCE: Final = 2.0
"""Seconds; each service looks again when it starts."""
_NAMED: Final = 20


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """What a service stores that no key opens: how much of each column and key, and the first of the rows."""

    service: str
    counts: list[Count]
    rows: list[Unreadable]


async def refuse_lost_keys(settings: ServiceSettings) -> None:
    """Raise StartupError when the key file is gone while services of this home store what needs it.

    Each would see that for itself, but another one, which stores nothing yet, might have made a new file by then.
    """
    given = keys_of(settings)
    if given.in_table or given.keys or given.keys_path.exists():
        return
    counts = list[Count]()
    with suppress(TimeoutError, Unavailable):  # whoever starts says which server does not answer
        async with asyncio.timeout(_PATIENCE if _on_server(settings) else None):
            for service in KEEPERS:  # auth stores one at least: who takes longer to count hides nothing
                counts += await _stored(service, settings)
    if counts and not given.keys_path.exists():  # not made meanwhile by a process that starts at the same moment
        raise lost_keys(counts, f"The key file {given.keys_path} is gone")


async def looked(home: Path | None, *, anew: bool) -> tuple[list[Lost], list[str]]:
    """As `look` at the installation of a folder; with `anew` also what `begin_anew` says, done while nothing else has
    the folder. Raises StartupError.
    """
    settings = ServiceSettings(home=home_of(home))
    if not settings.home.exists() and not _on_server(settings):
        raise StartupError(f"There is no home folder {settings.home}: name it with --home.")
    if not anew:
        return await look(settings), []
    with Home(settings.home):
        found = await look(settings)
        return found, await begin_anew(settings)


async def look(settings: ServiceSettings) -> list[Lost]:
    """What no key opens, by service; changes nothing and makes no key. Raises StartupError."""
    found = list[Lost]()
    with explained():
        for service in KEEPERS:
            async with _opened(service, settings) as database, _read(service):
                if database is not None and await stored(database, sealed_of(service)):
                    lost = await _unreadable(service, database, await _ring(settings, database))
                    found += [lost] if lost.counts else []
    return found


async def begin_anew(settings: ServiceSettings) -> list[str]:
    """Make first keys where there are none, and a new signing key where the one there does not open; the newest keys.

    Tables are brought up to date before, as a start does. Secrets that no key opens stay as they are. Nothing else may
    run on these tables. Raises StartupError.
    """
    from xget_auth.app import signing_keys  # noqa: PLC0415 - only here a process needs the service's code

    newest = list[str]()
    with explained():
        for service in KEEPERS:
            async with _opened(service, settings) as database:
                if database is None:
                    continue
                await asyncio.to_thread(upgrade, settings.tables(service), f"xget_{service}")
                keys = await open_keys(keys_of(settings), database, sealed_of(service), anew=True)
                newest.append(keys.ring.newest)
                if service == "auth":
                    await signing_keys(database, keys.ring, SystemClock()).begin_anew()
    return sorted({*newest})


async def _unreadable(service: str, database: Database, ring: Keyring) -> Lost:
    counts, rows = dict[tuple[str, str, str], Count](), list[Unreadable]()
    tables = await there(database, sealed_of(service))
    place: Place | None = Place()
    while place is not None:
        async with database.read() as session:
            piece = await SealedRows(session, tables, ring).check(place, _PIECE)
        for key, count in piece.counts.items():
            if count.unreadable:
                one = counts.setdefault(key, Count(count.table, count.column, count.key_id))
                one.rows += count.unreadable
                one.unreadable += count.unreadable
        rows = [*rows, *piece.unreadable][:_NAMED]
        place = piece.next
    return Lost(service=service, counts=[*counts.values()], rows=rows)


async def _ring(settings: ServiceSettings, database: Database) -> Keyring:
    """The keys that there are; one that opens nothing where there is none. Makes none."""
    given, none = keys_of(settings), {"none": os.urandom(32)}
    if given.in_table:
        wrapping = Wrapping(await asyncio.to_thread(given.kek_chosen))
        held = await asyncio.to_thread(wrapping.opened, await InTable(database, wrapping).read())
        return Keyring(held or none)
    if given.keys or given.keys_path.exists():
        return (await asyncio.to_thread(given.open_keys)).ring
    return Keyring(none)


async def _stored(service: str, settings: ServiceSettings) -> list[Count]:
    """Empty where the tables cannot be looked at: whoever starts on them says why.

    Raises Unavailable (503) when they are on a server that does not answer.
    """
    try:
        async with _opened(service, settings) as database:
            return [] if database is None else await stored(database, sealed_of(service))
    except (SQLAlchemyError, XGetError, OSError) as error:
        if isinstance(error, Unavailable) and _on_server(settings):
            raise
        return []


@asynccontextmanager
async def _read(service: str) -> AsyncIterator[None]:
    """Raises StartupError for tables that the database itself cannot read."""
    try:
        yield
    except DBAPIError as error:
        raise StartupError(f"The tables of {service} cannot be read ({error.orig}): put back a backup.") from error


@asynccontextmanager
async def _opened(service: str, settings: ServiceSettings) -> AsyncIterator[Database | None]:
    """The tables of a service; None where there are none yet."""
    url = settings.tables(service)
    if not _on_server(settings) and not (settings.home / f"{service}.db").exists():
        yield None
        return
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


def _on_server(settings: ServiceSettings) -> bool:
    """Whether the tables are elsewhere than in files of the home folder."""
    return bool(settings.is_real("tables") or settings.database_url)
