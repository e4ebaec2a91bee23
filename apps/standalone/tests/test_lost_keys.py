"""A key file that is gone: nothing starts, nothing is made, and one can go on without what it opened."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from sqlalchemy import text

from xget_auth.app import signing_keys
from xget_db.data_keys import open_keys
from xget_db.engine import Database
from xget_db.migrations import downgrade, upgrade
from xget_kernel.clock import SystemClock
from xget_kernel.errors import StartupError
from xget_kernel.keys import KeySettings
from xget_kernel.secrets import Secret
from xget_kernel.settings import ServiceSettings
from xget_standalone import lost_keys
from xget_standalone.key_check import check_keys
from xget_standalone.lost_keys import begin_anew, look
from xget_standalone.migration.keys import sealed_of
from xget_standalone.services import settings_class
from xget_testing.engines import url_of
from xget_testing.own_names import own_names
from xget_testing.single_home import SingleHome


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of these trials answers; only this machine may be slow."""
    monkeypatch.setattr(lost_keys, "_PATIENCE", 60.0)


async def test_a_start_names_what_needs_the_lost_keys_and_makes_no_other(tmp_path: Path) -> None:
    written, settings = SingleHome(tmp_path, rows=10, pages=1), ServiceSettings(home=tmp_path)
    await check_keys(settings)
    await written.write()
    await check_keys(settings)
    assert await look(settings) == []
    (tmp_path / "keys.json").rename(tmp_path / "away")
    service = settings_class("proxy")(home=tmp_path, proxy_provider_hosts="lists.example", port=0)
    with pytest.raises(StartupError, match="proxies"):
        await check_keys(service)
    with pytest.raises(StartupError) as refused:
        await check_keys(settings)
    said = str(refused.value)
    for word in (f"the key {written.keyring.newest} wrote", "accounts.", "proxies.", "signing_keys.", "keys lost"):
        assert word in said
    assert "\n" not in said
    found = {one.service: one for one in await look(settings)}
    assert set(found) == {"auth", "account", "proxy"}
    assert {count.key_id for one in found.values() for count in one.counts} == {written.keyring.newest}
    assert all(0 < len(one.rows) <= 20 for one in found.values())
    assert not (tmp_path / "keys.json").exists()
    (tmp_path / "away").rename(tmp_path / "keys.json")
    await check_keys(settings)


async def test_a_file_beside_the_one_that_is_named_does_not_hide_that_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await SingleHome(tmp_path, rows=10, pages=1).write()
    monkeypatch.setenv("XGET_KEYS_FILE", str(tmp_path / "mistyped.json"))
    with pytest.raises(StartupError, match=r"mistyped\.json is gone"):
        await check_keys(ServiceSettings(home=tmp_path))


async def test_one_goes_on_without_what_is_lost(tmp_path: Path) -> None:
    written, settings = SingleHome(tmp_path, rows=10, pages=1), ServiceSettings(home=tmp_path)
    await written.write()
    lost_key = written.keyring.newest
    (tmp_path / "keys.json").unlink()
    (newest,) = await begin_anew(settings)
    assert newest != lost_key
    assert await begin_anew(settings) == [newest]
    await check_keys(settings)
    lost = await look(settings)
    assert {one.service for one in lost} == {"account", "proxy"}, "auth signs anew, the others wait for their secrets"
    assert {count.key_id for one in lost for count in one.counts} == {lost_key}


async def test_tables_that_are_none_are_left_to_who_starts_on_them(tmp_path: Path) -> None:
    (tmp_path / "account.db").write_bytes(b"no database" * 400)
    await check_keys(ServiceSettings(home=tmp_path))
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'proxy.db'}")
    async with database.transaction():
        await check_keys(ServiceSettings(home=tmp_path))
    await database.close()


async def test_tables_that_take_long_to_count_hide_nothing_that_was_found_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'all.db'}"
    await asyncio.to_thread(upgrade, url, "xget_auth")
    database = Database(url)
    settings = KeySettings(home=tmp_path, port=0, database_url=Secret(url))
    await signing_keys(database, settings.keyring(), SystemClock()).ensure()
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000000) SELECT i AS id, "
    async with database.transaction() as session:
        await session.execute(text(f"CREATE VIEW accounts AS {many} 'v1\\:k' || (i % 7) || '\\:x' AS password FROM n"))
    await database.close()
    settings.keys_path.unlink()
    monkeypatch.setattr(lost_keys, "_PATIENCE", 2.5)
    with pytest.raises(StartupError, match=r"wrote signing_keys\.private_jwk 1\."):
        await check_keys(settings)


async def test_only_what_does_not_open_is_counted(tmp_path: Path) -> None:
    await SingleHome(tmp_path, rows=10, pages=1).write()
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'proxy.db'}")
    async with database.transaction() as session:
        first, other = (await session.execute(text("SELECT id, password FROM proxies WHERE password > ''"))).all()[:2]
        moved = {"id": first.id, "password": other.password}
        await session.execute(text("UPDATE proxies SET password = :password WHERE id = :id"), moved)
    await database.close()
    (lost,) = await look(ServiceSettings(home=tmp_path))
    assert [(count.rows, count.unreadable) for count in lost.counts] == [(1, 1)]
    assert [row.id for row in lost.rows] == [first.id]


async def test_tables_of_an_older_release_are_looked_at_and_begun_anew(tmp_path: Path) -> None:
    written, settings = SingleHome(tmp_path, rows=10, pages=1), ServiceSettings(home=tmp_path)
    await written.write()
    await asyncio.to_thread(downgrade, settings.tables("account"), "xget_account", "0005")  # without accounts.api
    (tmp_path / "auth.db").unlink()
    (tmp_path / "auth.db").touch()
    (tmp_path / "keys.json").unlink()
    before = {one.service: one.counts for one in await look(settings)}
    assert set(before) == {"account", "proxy"}
    await begin_anew(settings)
    assert {one.service: one.counts for one in await look(settings)} == before
    await check_keys(settings)


async def test_tables_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "account.db").write_bytes(b"no database" * 400)
    for do in (look, begin_anew):
        with pytest.raises(StartupError, match=r"account .*file is not a database.* put back a backup"):
            await do(ServiceSettings(home=tmp_path))


@pytest.mark.connected("postgres")
@pytest.mark.parametrize("kek", ["", f"k1:{base64.b64encode(b'1' * 32).decode()}"], ids=["file", "table"])
async def test_keys_of_tables_on_a_server_are_as_dear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kek: str
) -> None:
    with own_names({"postgres": url_of("postgres")}) as env:
        for name, value in {**env, **({"XGET_KEK": kek} if kek else {})}.items():
            monkeypatch.setenv(name, value)
        settings = KeySettings(home=tmp_path, port=0)
        await check_keys(settings)
        assert await look(settings) == [], "there are no tables yet"
        for service in ("auth", "account", "proxy"):
            await asyncio.to_thread(upgrade, settings.tables(service), f"xget_{service}")
        (first, *_) = await begin_anew(settings)
        database = Database(settings.tables("auth"))
        await check_keys(settings)
        if kek:
            async with database.transaction() as session:
                await session.execute(text("DELETE FROM data_keys"))
            with pytest.raises(StartupError, match="The table data_keys holds no key, and 1 secrets"):
                await open_keys(settings, database, sealed_of("auth"))
        else:
            settings.keys_path.unlink()
            with pytest.raises(StartupError, match=f"the key {first} wrote signing_keys.private_jwk 1"):
                await check_keys(settings)
        assert [one.service for one in await look(settings)] == ["auth"]
        await begin_anew(settings)
        assert await look(settings) == []
        await database.close()
