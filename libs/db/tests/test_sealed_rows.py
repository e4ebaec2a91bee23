"""Secrets of tables are counted by key and written anew a piece at a time, on a file and on a server."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, update

from xget_db.engine import Database
from xget_db.sealed import Piece, Place, Sealed, SealedRows, counted
from xget_db.sealed.rows import NO_KEY
from xget_kernel.secrets import Keyring, SecretUnreadable

OLD, NEW = Keyring({"old": b"o" * 32}), Keyring({"old": b"o" * 32, "new": b"n" * 32})
OTHER = Keyring({"gone": b"g" * 32})
TASKS = Sealed("tasks", ("name",))


async def fill(db: Database, task: type, ring: Keyring, names: range) -> None:
    rows = [{"id": f"{n:04}", "name": ring.encrypt(f"secret {n}", aad=f"tasks:{n:04}:name")} for n in names]
    async with db.transaction() as session:
        await session.execute(insert(task), rows)


async def texts(db: Database, task: type) -> list[str]:
    async with db.read() as session:
        return list((await session.scalars(select(task.name).order_by(task.id))).all())  # type: ignore[attr-defined]  # a mapped class


async def walk(db: Database, ring: Keyring, *, change: bool, limit: int = 7, pieces: int = 1000) -> list[Piece]:
    found: list[Piece] = []
    place: Place | None = Place()
    while place is not None and len(found) < pieces:
        async with db.transaction() if change else db.read() as session:
            rows = SealedRows(session, [TASKS], ring)
            found.append(await (rows.reencrypt if change else rows.check)(place, limit))
        place = found[-1].next
    return found


def late(pieces: list[Piece]) -> int:
    return sum(c.rows for piece in pieces for c in piece.counts.values() if c.key_id != "new")


async def test_every_row_is_written_anew_and_says_the_same(db: Database, sample: type) -> None:
    await fill(db, sample.Task, OLD, range(30))
    assert late(await walk(db, NEW, change=False)) == 30
    assert sum(piece.changed for piece in await walk(db, NEW, change=True)) == 30
    assert late(await walk(db, NEW, change=False)) == 0
    plain = [NEW.decrypt(token, aad=f"tasks:{n:04}:name") for n, token in enumerate(await texts(db, sample.Task))]
    assert plain == [f"secret {n}" for n in range(30)]
    assert sum(piece.rows for piece in await walk(db, NEW, change=True)) == 0, "again there is nothing to do"


async def test_one_that_stops_half_way_is_taken_up_where_it_was(db: Database, sample: type) -> None:
    await fill(db, sample.Task, OLD, range(30))
    await walk(db, NEW, change=True, pieces=2)
    assert late(await walk(db, NEW, change=False)) == 16
    assert sum(piece.changed for piece in await walk(db, NEW, change=True)) == 16


async def test_what_no_key_opens_is_named_and_left_as_it_is(db: Database, sample: type) -> None:
    await fill(db, sample.Task, OLD, range(10))
    await fill(db, sample.Task, OTHER, range(10, 40))
    before = (await texts(db, sample.Task))[10:]
    (piece,) = await walk(db, NEW, change=True, limit=100)
    assert (piece.changed, len(piece.unreadable)) == (10, 20)
    assert piece.counts["tasks", "name", "gone"].unreadable == 30
    assert "key gone" in piece.unreadable[0].reason
    assert (await texts(db, sample.Task))[10:] == before


async def test_one_that_does_not_come_back_undoes_its_piece(
    db: Database, sample: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(db, sample.Task, OLD, range(5))
    before = await texts(db, sample.Task)
    garbled = Keyring({"old": b"o" * 32, "new": b"n" * 32})
    monkeypatch.setattr(garbled, "encrypt", lambda plain, aad: NEW.encrypt(plain + "!", aad=aad))
    with pytest.raises(SecretUnreadable, match="does not come back"):
        await walk(db, garbled, change=True)
    assert await texts(db, sample.Task) == before


async def test_a_moved_or_plain_value_is_unreadable(db: Database, sample: type) -> None:
    await fill(db, sample.Task, OLD, range(3))
    async with db.transaction() as session:
        first = await session.scalar(select(sample.Task.name).where(sample.Task.id == "0000"))
        await session.execute(update(sample.Task).where(sample.Task.id == "0001").values(name=first))
        await session.execute(update(sample.Task).where(sample.Task.id == "0002").values(name="plain"))
    (piece,) = await walk(db, OLD, change=False)
    assert [(one.id, one.key_id) for one in piece.unreadable] == [("0001", "old"), ("0002", "none")]


async def test_what_each_key_wrote_is_counted_whichever_are_known(db: Database, sample: type) -> None:
    await fill(db, sample.Task, OLD, range(5))
    await fill(db, sample.Task, NEW, range(5, 8))
    await fill(db, sample.Task, OTHER, range(8, 10))
    async with db.transaction() as session:
        odd = ["no ciphertext", "V1:old:abc", "v1:only-two", "v1:%_:x"]
        await session.execute(insert(sample.Task), [{"id": f"odd {n}", "name": name} for n, name in enumerate(odd)])
    found = {"old": 5, "new": 3, "gone": 2, NO_KEY: 3, "%_": 1}
    for known in ((), ("new", "old"), ("old", "never"), ("%_", NO_KEY)):
        async with db.read() as session:
            counts = await counted(session, [TASKS], known)
        assert {one.key_id: one.rows for one in counts} == found
        assert {(one.table, one.column, one.unreadable) for one in counts} == {("tasks", "name", 0)}
