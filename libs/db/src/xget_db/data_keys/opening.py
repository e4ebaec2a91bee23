"""The keys of a service from where its settings say that they lie."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from xget_db.data_keys.lost import lost_keys, stored
from xget_db.data_keys.place import InTable
from xget_db.engine import Database
from xget_db.sealed import Sealed, counted
from xget_kernel.errors import StartupError
from xget_kernel.keys import KekTrouble, KeyFile, Keys, KeySettings, KeysUnavailable, Wrapping, decoded
from xget_kernel.secrets import Keyring


async def open_keys(settings: KeySettings, database: Database, tables: Sequence[Sealed], *, anew: bool = False) -> Keys:
    """The keys: of XGET_KEYS, of the key file, or of the service's table; made at the first start.

    A table takes up the keys of a key file that lies where it lay before. `tables` hold what the keys wrote: where
    something is stored and no key is there, none is made unless `anew`. Raises StartupError.
    """
    if settings.in_table:
        keys = await _of_table(settings, database, () if anew else tables)
    else:
        if not (anew or settings.keys or settings.keys_path.exists()):
            counts = await stored(database, tables)
            if counts and not settings.keys_path.exists():  # not made meanwhile by another who wrote these
                raise lost_keys(counts, f"The key file {settings.keys_path} is gone")
        keys = await asyncio.to_thread(settings.open_keys)
    if keys.place is not None and keys.place.followed:
        keys.give_up(await lacking(keys, database, tables))
    return keys


async def lacking(keys: Keys, database: Database, tables: Sequence[Sealed]) -> set[str]:
    """Keys that wrote what is stored, and that are not there."""
    async with database.read() as session:
        used = {count.key_id for count in await counted(session, tables, keys.ring.ids)}
    return used - {*keys.ring.ids}


async def _of_table(settings: KeySettings, database: Database, tables: Sequence[Sealed]) -> Keys:
    wrapping = Wrapping(await asyncio.to_thread(settings.kek_chosen))
    old = await asyncio.to_thread(_file, settings.keys_path)
    place = InTable(database, wrapping)

    def begun(found: KeyFile) -> KeyFile:
        more = _lacking(found, old, wrapping)
        return more if more.wrapped else wrapping.with_new(found)[1]

    try:
        found = await place.read()
        if not (found.wrapped or old.keys or old.wrapped):
            counts = await stored(database, tables)
            found = await place.read()  # another may have made the first one meanwhile, and written with it
            if counts and not found.wrapped:
                raise lost_keys(counts, "The table data_keys holds no key")
        if not found.wrapped or {*old.keys, *old.wrapped} - {*found.wrapped, *found.retired}:
            await place.change(begun)
            found = await place.read()
        return Keys(Keyring(await asyncio.to_thread(wrapping.opened, found)), place)
    except (KekTrouble, KeysUnavailable) as error:
        raise StartupError(str(error)) from error


def _lacking(found: KeyFile, old: KeyFile, wrapping: Wrapping) -> KeyFile:
    """What is found, with the keys of the file that it has not, as the oldest. Raises KekTrouble."""
    known = {*found.wrapped, *found.retired}
    plain = wrapping.wrapped_keys({k: key for k, key in old.keys.items() if k not in known})
    wrapped = {k: token for k, token in old.wrapped.items() if k not in known}
    wrapping.opened(KeyFile(wrapped=wrapped))
    return KeyFile(wrapped={**plain, **wrapped, **found.wrapped}, retired=found.retired)


def _file(path: Path) -> KeyFile:
    """The key file of before, empty where there is none. Raises StartupError."""
    try:
        return decoded(path.read_bytes(), path)
    except FileNotFoundError:
        return KeyFile()
    except OSError as error:
        raise StartupError(f"The key file {path} cannot be read ({error.strerror}): restore it.") from error
