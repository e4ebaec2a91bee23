"""Kill -9 at any step of a takedown, and a new process: the takedown ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from xget_storage.adapters.stores import Stores
from xget_storage.service.raw import body_of
from xget_storage.settings import Settings

SCRIPT = Path(__file__).with_name("takedown_dying.py")
_spec = importlib.util.spec_from_file_location("takedown_dying", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
dying = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(dying)


async def state(home: Path) -> dict[str, Any]:
    """All that is left, and what is told of it."""
    async with Stores.opened(Settings(home=home, grpc_port=0)) as stores:
        takedown = await stores.documents.takedown("x:7")
        assert takedown is not None
        pages, _ = await stores.raw_pages.scan(None, 100)
        return {
            "takedown": (takedown.state, takedown.pending, takedown.items, takedown.reposts),
            "items": await stores.documents.scan(None, 1000),
            "audits": [await stores.documents.audit(key, None) for key in ("x:1", "x:4", "x:2", "x:70")],
            "raw": [body_of(page) for page in pages],
            "authors": set(await stores.documents.authors(["x:7", "x:8"])),
        }


@pytest.mark.slow
async def test_a_kill_at_any_step_of_a_takedown_ends_in_the_same(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), str(tmp_path)]
    done = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, text=True, timeout=300)
    moments = int(done.stdout)
    assert moments > 30
    whole = await state(tmp_path / "0")
    assert whole["takedown"] == ("done", False, 3, 3)
    assert b"secret" not in msgspec.json.encode([whole["items"], [body.decode() for body in whole["raw"]]])
    assert all(b"fine" in body for body in whole["raw"])
    for moment in range(1, moments + 1):
        await dying.sweep(tmp_path / str(moment), dying.Death(0))
        assert await state(tmp_path / str(moment)) == whole, f"after the kill at step {moment} of {moments}"


@pytest.mark.slow
def test_nothing_of_an_author_is_left_in_the_files(tmp_path: Path) -> None:
    asyncio.run(dying.prepare(tmp_path))
    assert any(b"secret one" in path.read_bytes() for path in tmp_path.glob("documents.db*"))
    asyncio.run(dying.sweep(tmp_path, dying.Death(0)))
    left = [path.name for path in tmp_path.glob("*.db*") if b"secret" in path.read_bytes()]
    assert left == []
