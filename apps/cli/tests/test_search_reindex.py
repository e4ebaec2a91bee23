"""`xget search reindex`"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from xget_storage.adapters.stores import Stores
from xget_storage.ports import SearchQuery
from xget_storage.settings import Settings
from xget_testing.contracts.pages import START, make_item, make_page

XGET = str(Path(sys.executable).with_name("xget"))


def reindex(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a folder."""
    command = [XGET, "search", "reindex", *options]
    env = {"PATH": "/usr/bin:/bin", "XGET_HOME": str(home)}
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


@pytest.mark.slow
async def test_it_fills_search_from_the_documents_and_says_what_it_did(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    async with Stores.opened(settings) as stores:
        await stores.documents.store_pages([make_page(1, [make_item(n, text="word") for n in range(30)])], START)
        told = reindex(tmp_path)
        assert (told.returncode, told.stderr) == (0, "")
        assert told.stdout == "Search is rebuilt: 30 items, 0 deletions.\n"
        assert (await stores.search.search(SearchQuery(text="word"))).total == 30
        async with stores.search.rebuilding() as rebuild:
            refused = reindex(tmp_path)
            assert refused.returncode == 2
            assert len(refused.stderr.splitlines()) == 1
            assert "wait for its end" in refused.stderr
            await rebuild.take(await stores.documents.scan(None, 1))
    again = reindex(tmp_path, "--json")
    assert json.loads(again.stdout) == {"items": 29, "deletions": 0, "resumed": True}
