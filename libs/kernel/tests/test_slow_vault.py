"""While Vault is slow to answer, the event loop goes on: opening and sealing secrets makes no request to it."""

from __future__ import annotations

import asyncio
import base64
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from xget_kernel.keys import KeySettings, opened, vault_session
from xget_kernel.secrets import KeysLate, Secret
from xget_testing.vault import Vault, running_vault

KEK = f"k1:{base64.b64encode(b'1' * 32).decode()}"
NEXT = f"{KEK},k2:{base64.b64encode(b'2' * 32).decode()}"
TURNS = 20
"""So many turns of the loop Vault takes for each answer …"""
PATIENCE_S = 30.0
"""… unless the loop stands still for so long: then it waits for the answer."""


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    monkeypatch.setattr(opened, "HEAD_START_SECONDS", 0.0)
    monkeypatch.setattr(opened, "FOLLOW_SECONDS", 0.05)
    monkeypatch.setattr(vault_session, "SECONDS", 4 * PATIENCE_S)
    with running_vault(Vault(kv={"secret/xget": {"kek": KEK}})) as vault:
        yield vault


def settings(home: Path, vault: Vault, engine: str) -> KeySettings:
    given: dict[str, Any] = {"vault_token": Secret("root-token"), "vault_engine": engine}
    return KeySettings(home=home, port=0, internal_token="t", vault_url=vault.url, **given)


@asynccontextmanager
async def never_still(vault: Vault) -> AsyncIterator[None]:
    """Vault is slow for the length of the block: it answers only when the loop has gone on since it was asked."""
    turns, held, over = 0, list[bool](), threading.Event()

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    def hold() -> None:
        asked, end = turns, time.monotonic() + PATIENCE_S
        while turns < asked + TURNS and time.monotonic() < end:
            if over.wait(0.005):
                return
        held.append(turns >= asked + TURNS)

    turning = asyncio.create_task(turn())
    vault.hold = hold
    try:
        yield
    finally:
        vault.hold = bool
        over.set()
        turning.cancel()
    assert held, "Vault was not asked"
    assert all(held), "the loop stood still"


@pytest.mark.parametrize("engine", ["kv", "transit"])
async def test_the_loop_goes_on_while_a_key_of_another_process_is_fetched(
    tmp_path: Path, vault: Vault, engine: str
) -> None:
    mine, theirs = (settings(tmp_path, vault, engine).open_keys() for _ in range(2))
    old = mine.ring.encrypt("old", aad="p")
    async with mine.following():
        vault.kv["secret/xget"]["kek"] = NEXT
        if engine == "kv":
            await theirs.rewrap()
        await theirs.add()
        token = theirs.ring.encrypt("x", aad="p")
        async with never_still(vault):
            found, late, end = "", 0, time.monotonic() + 60
            while not found and time.monotonic() < end:
                try:
                    found = mine.ring.decrypt(token, aad="p")
                except KeysLate:
                    late += 1
                assert mine.ring.decrypt(old, aad="p") == "old"
                assert mine.ring.encrypt("y", aad="p")
                await asyncio.sleep(0.01)
        assert (found, late > 5) == ("x", True)


async def test_the_loop_goes_on_while_a_token_is_renewed_and_a_key_is_added(tmp_path: Path, vault: Vault) -> None:
    keys = settings(tmp_path, vault, "transit").open_keys()
    async with keys.following(), never_still(vault):
        await keys.add()
        await keys.renew()
