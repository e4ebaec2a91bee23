"""Whether the keys that are here open the secrets that are stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from xget_db.data_keys import InTable
from xget_db.engine import Database
from xget_db.sealed import Count, Place, SealedRows
from xget_kernel.errors import StartupError, XGetError
from xget_kernel.keys import KekTrouble, KeySettings, KeysUnavailable, Wrapping, decoded
from xget_kernel.secrets import Keyring
from xget_kernel.settings import ServiceSettings
from xget_standalone.doctor.findings import Finding
from xget_standalone.key_check import check_keys
from xget_standalone.migration.keys import KEEPERS, sealed_of

_PIECE: Final = 500
_MOST: Final = 5000
"""Rows of one service that are opened; `xget keys status` opens all."""
_ADVICE: Final = (
    "Restore the keys.json, table data_keys or XGET_KEYS that holds these keys, then run `xget keys status` (or `xget "
    "keys lost`, while nothing runs), which names the rows; or set those secrets anew (docs/operations/secrets.md)."
)

_ELSEWHERE: Final = "They are wrapped, and this shell has no key-encryption key: `xget keys status` asks the services."


async def look_at_secrets(settings: ServiceSettings) -> list[Finding]:
    """A finding for each service with secrets, or one about the keys. Changes nothing and makes no key."""
    given = KeySettings(**{name: value for name, value in settings if name in settings.model_fields_set})
    file = given.keys_path
    if given.in_table:
        return await _look_at_tables(given, settings)
    if not given.keys and not file.exists():
        return await _gone(settings)
    try:
        keys = await asyncio.to_thread(given.open_keys)
    except StartupError as error:
        if not (given.keys or given.kek or given.kek_file or given.vault_url) and _wrapped(file):
            return [Finding(area="keys", name="keys", state="idle", says=_ELSEWHERE)]
        return [_wrong(str(error))]
    return [found for service in KEEPERS if (found := await _look(service, settings, keys.ring))]


async def _gone(settings: ServiceSettings) -> list[Finding]:
    """No key file: fine, unless something is stored that needs it."""
    try:
        await check_keys(settings)
    except StartupError as error:
        return [Finding(area="keys", name="keys", state="wrong", says=str(error), advice=_ADVICE)]
    return []


async def _look_at_tables(given: KeySettings, settings: ServiceSettings) -> list[Finding]:
    """Where each service has keys of its own."""
    try:
        wrapping = Wrapping(await asyncio.to_thread(given.kek_chosen))
    except StartupError as error:
        return [_wrong(str(error))]
    found = list[Finding]()
    for service in KEEPERS:
        database = Database(settings.tables(service))
        try:
            file = await InTable(database, wrapping).read()
            held = await asyncio.to_thread(wrapping.opened, file)
        except KekTrouble as error:
            found.append(_wrong(str(error), service))
        except KeysUnavailable:
            continue  # no tables yet, or what the check of the engine tells
        else:
            told = await _look(service, settings, Keyring(held)) if held else None
            found += [told] if told else []
        finally:
            await database.close()
    return found


def _wrong(says: str, name: str = "keys") -> Finding:
    return Finding(area="keys", name=name, state="wrong", says=says, advice="Mend that first.")


def _wrapped(file: Path) -> bool:
    try:
        return bool(decoded(file.read_bytes(), file).wrapped)
    except (OSError, StartupError):
        return False


async def _look(service: str, settings: ServiceSettings, ring: Keyring) -> Finding | None:
    if not (settings.is_real("tables") or settings.database_url or (settings.home / f"{service}.db").exists()):
        return None
    database = Database(settings.tables(service))
    try:
        counts = await _counts(database, service, ring)
    except (SQLAlchemyError, XGetError, OSError):
        return None  # no tables yet, or what the check of the migrations tells
    finally:
        await database.close()
    total, lost = sum(one.rows for one in counts), sum(one.unreadable for one in counts)
    facts = {"secrets": total, "unreadable": lost, "keys": sorted({one.key_id for one in counts})}
    if not lost:
        return Finding(area="keys", name=service, state="ok", says=f"{total} secrets open.", facts=facts)
    names = ", ".join(sorted({one.key_id for one in counts if one.unreadable}))
    says = f"{lost} of {total} secrets cannot be opened; they were written with {names}."
    return Finding(area="keys", name=service, state="wrong", says=says, advice=_ADVICE, facts=facts)


async def _counts(database: Database, service: str, ring: Keyring) -> Sequence[Count]:
    found: list[Count] = []
    place: Place | None = Place()
    rows = 0
    while place is not None and rows < _MOST:
        async with database.read() as session:
            piece = await SealedRows(session, sealed_of(service), ring).check(place, _PIECE)
        found += piece.counts.values()
        rows, place = rows + piece.rows, piece.next
    return found
