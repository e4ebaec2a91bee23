"""Data keys in a table: made once, followed by all who use it, brought over from a file, taken away and back."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from xget_db.data_keys import InTable, open_keys
from xget_db.engine import Database
from xget_db.sealed import Sealed
from xget_kernel.errors import StartupError
from xget_kernel.keys import KeyInUse, Keys, KeySettings, NoSuchKey, Wrapping, opened
from xget_kernel.secrets import KeysLate, Secret, SecretUnreadable
from xget_testing.waiting import eventually

ONE, TWO = b"1" * 32, b"2" * 32
TASKS = (Sealed("tasks", ("name",)),)


def text_of(name: str, key: bytes) -> str:
    return f"{name}:{base64.b64encode(key).decode()}"


class OnServer(KeySettings):
    """As on PostgreSQL, whatever the tables of the trial lie on."""

    def is_real(self, concern: str) -> bool:
        return concern == "tables"


def settings(home: Path, **given: Any) -> KeySettings:
    return OnServer(home=home, port=0, internal_token="t", **{"kek": Secret(text_of("a", ONE)), **given})


async def keys_of(home: Path, db: Database, **given: Any) -> Keys:
    return await open_keys(settings(home, **given), db, TASKS)


async def store(db: Database, sample: type, token: str) -> None:
    async with db.transaction() as session:
        await session.execute(insert(sample.Task).values(id="1", name=token))


async def test_two_who_share_no_folder_open_what_the_other_wrote(db: Database, tmp_path: Path) -> None:
    mine, theirs = await asyncio.gather(keys_of(tmp_path / "a", db), keys_of(tmp_path / "b", db))
    assert mine.ring.ids == theirs.ring.ids
    assert theirs.ring.decrypt(mine.ring.encrypt("x", aad="p"), aad="p") == "x"
    assert [key.wrapped_by for key in await mine.told()] == ["kek:a"]
    assert not list(Path.glob(tmp_path, "*/*.json*"))


async def test_the_table_holds_no_key_in_plain_text(db: Database, tmp_path: Path) -> None:
    keys = await keys_of(tmp_path, db)
    await keys.add()
    kek = settings(tmp_path).kek_chosen()
    assert kek is not None
    wrapped = (await InTable(db, Wrapping()).read()).wrapped
    raw = [kek.unwrap(key_id, token) for key_id, token in wrapped.items()]
    async with db.read() as session:
        rows = str((await session.execute(text("SELECT * FROM data_keys"))).all())
    assert len(raw) == 2
    assert not any(form in rows for one in raw for form in (one.hex(), base64.b64encode(one).decode()[:40]))


async def test_a_new_key_is_known_to_all_before_it_encrypts(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "HEAD_START_SECONDS", 5.0)  # a machine may stand still meanwhile
    monkeypatch.setattr(opened, "FOLLOW_SECONDS", 0.05)
    mine, theirs = await keys_of(tmp_path, db), await keys_of(tmp_path, db)
    async with mine.following(), theirs.following():
        first = theirs.ring.newest
        adding = asyncio.create_task(mine.add())
        await asyncio.to_thread(eventually, lambda: len(theirs.ring.ids) == 2)
        assert theirs.ring.newest == first
        added = await adding
        assert mine.ring.newest == added != first
        await asyncio.to_thread(eventually, lambda: theirs.ring.newest == added)


async def test_a_key_that_is_not_here_yet_is_fetched_and_nothing_is_decided_before(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "FOLLOW_SECONDS", 60)
    mine, theirs = await keys_of(tmp_path, db), await keys_of(tmp_path, db)
    async with theirs.following():
        await mine.add()
        token = mine.ring.encrypt("x", aad="p")
        with pytest.raises(KeysLate, match="try again"):
            theirs.ring.decrypt(token, aad="p")
        await asyncio.to_thread(eventually, lambda: mine.ring.newest in theirs.ring.ids)
        assert theirs.ring.decrypt(token, aad="p") == "x"
        gone = token.replace(mine.ring.newest, "gone")
        with pytest.raises(KeysLate):
            theirs.ring.decrypt(gone, aad="p")

        def looked_for() -> bool:
            with pytest.raises((KeysLate, SecretUnreadable)) as told:
                theirs.ring.decrypt(gone, aad="p")
            return told.type is SecretUnreadable

        await asyncio.to_thread(eventually, looked_for)


async def test_a_key_that_is_missed_in_a_thread_of_a_database_is_fetched_too(db: Database, tmp_path: Path) -> None:
    asyncio.get_running_loop().set_debug(True)  # else nobody says that the loop was touched from outside
    mine, theirs = await keys_of(tmp_path, db), await keys_of(tmp_path, db)
    async with theirs.following():
        await mine.add()
        token = mine.ring.encrypt("x", aad="p")
        with pytest.raises(KeysLate, match="try again"):
            await asyncio.to_thread(theirs.ring.decrypt, token, aad="p")
        await asyncio.to_thread(eventually, lambda: mine.ring.newest in theirs.ring.ids)
        assert await asyncio.to_thread(theirs.ring.decrypt, token, aad="p") == "x"


async def test_keys_that_were_lost_before_the_start_are_not_waited_for(
    db: Database, sample: type, tmp_path: Path
) -> None:
    await keys_of(tmp_path, db)  # one of the keys is there; with none at all nothing starts
    await store(db, sample, "v1:lost:AAAA")
    keys = await keys_of(tmp_path, db)
    async with keys.following():
        with pytest.raises(SecretUnreadable, match="The key lost"):
            keys.ring.decrypt("v1:lost:AAAA", aad="p")


async def test_a_table_takes_up_the_file_of_before_plain_or_wrapped(db: Database, tmp_path: Path) -> None:
    plain, wrapped = tmp_path / "plain", tmp_path / "wrapped"
    old = KeySettings(home=plain, port=0, internal_token="t").open_keys().ring.encrypt("x", aad="p")
    both = KeySettings(home=wrapped, port=0, internal_token="t", kek=Secret(text_of("a", ONE)))
    other = both.open_keys().ring.encrypt("y", aad="p")
    before = [(home / "keys.json").read_bytes() for home in (plain, wrapped)]
    first = (await keys_of(tmp_path / "none", db)).ring.newest
    for home in (plain, wrapped, plain):
        keys = await keys_of(home, db)
    assert (keys.ring.decrypt(old, aad="p"), keys.ring.decrypt(other, aad="p")) == ("x", "y")
    assert keys.ring.newest == first, "what was brought is older"
    assert {key.wrapped_by for key in await keys.told()} == {"kek:a"}
    assert [(home / "keys.json").read_bytes() for home in (plain, wrapped)] == before


async def test_retired_keys_open_nothing_until_they_are_restored(db: Database, tmp_path: Path) -> None:
    keys = await keys_of(tmp_path, db)
    old, token = keys.ring.newest, keys.ring.encrypt("x", aad="p")
    with pytest.raises(KeyInUse, match="is the newest"):
        await keys.retire([old])
    await keys.add()
    await keys.retire([old])
    with pytest.raises(SecretUnreadable):
        keys.ring.decrypt(token, aad="p")
    assert [key.id for key in await keys.told() if key.retired_at] == [old]
    await keys.restore([old])
    assert keys.ring.decrypt(token, aad="p") == "x"
    await keys.retire([old])
    await keys.forget([old])
    with pytest.raises(NoSuchKey):
        await keys.restore([old])


async def test_rewrapping_takes_retired_keys_along(db: Database, tmp_path: Path) -> None:
    keys = await keys_of(tmp_path, db)
    old = keys.ring.newest
    token = keys.ring.encrypt("x", aad="p")
    await keys.add()
    await keys.retire([old])
    both = await keys_of(tmp_path, db, kek=Secret(f"{text_of('a', ONE)},{text_of('b', TWO)}"))
    assert (await both.rewrap(), await both.rewrap()) == (2, 0)
    only = await keys_of(tmp_path, db, kek=Secret(text_of("b", TWO)))
    await only.restore([old])
    assert only.ring.decrypt(token, aad="p") == "x"


async def test_another_key_encryption_key_stops_the_start_and_changes_nothing(db: Database, tmp_path: Path) -> None:
    await keys_of(tmp_path, db)
    before = await InTable(db, Wrapping()).read()
    for wrong in (text_of("a", TWO), text_of("b", ONE)):
        with pytest.raises(StartupError, match="XGET_KEK"):
            await keys_of(tmp_path, db, kek=Secret(wrong))
    assert await InTable(db, Wrapping()).read() == before


@pytest.mark.parametrize("in_table", [True, False], ids=["table", "file"])
async def test_no_first_key_is_made_beside_what_a_lost_one_wrote(
    db: Database, sample: type, tmp_path: Path, in_table: bool
) -> None:
    kind = OnServer if in_table else KeySettings
    given = kind(home=tmp_path, port=0, internal_token="t", kek=Secret(text_of("a", ONE)))
    tables = (*TASKS, Sealed("not_made_yet", ("name",)), Sealed("tasks", ("later",)))
    made = await open_keys(given, db, TASKS)
    await store(db, sample, made.ring.encrypt("x", aad="tasks:1:name"))
    assert (await open_keys(given, db, TASKS)).ring.ids == made.ring.ids
    if in_table:
        async with db.transaction() as session:
            await session.execute(text("DELETE FROM data_keys"))
    else:
        given.keys_path.unlink()
    for _ in range(2):
        with pytest.raises(StartupError, match=f"the key {made.ring.newest} wrote tasks.name 1\\. No new key"):
            await open_keys(given, db, tables)
    assert not given.keys_path.exists()
    lost = made.ring.ids
    anew = await open_keys(given, db, TASKS, anew=True)
    assert anew.ring.ids != lost
    assert (await open_keys(given, db, TASKS)).ring.ids == anew.ring.ids
