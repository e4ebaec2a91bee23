"""The doctor opens what lies in PostgreSQL with the keys that lie there, and makes none."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from xget_db.data_keys import open_keys
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_kernel.keys import KeySettings
from xget_kernel.secrets import Secret
from xget_proxy.models import SEALED
from xget_standalone.doctor.secrets import look_at_secrets
from xget_testing.engines import url_of
from xget_testing.own_names import own_names

pytestmark = pytest.mark.connected("postgres")
KEK = f"k1:{base64.b64encode(b'1' * 32).decode()}"
OTHER = f"k1:{base64.b64encode(b'2' * 32).decode()}"


def told(found: list[Any]) -> list[tuple[str, str]]:
    return [(one.name, one.state) for one in found]


async def test_secrets_are_opened_with_the_keys_of_their_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_names({"postgres": url_of("postgres")}) as env:
        for name, value in {**env, "XGET_KEK": KEK}.items():
            monkeypatch.setenv(name, value)
        settings = KeySettings(home=tmp_path, port=0)
        assert await look_at_secrets(settings) == [], "nothing is there yet"
        await asyncio.to_thread(upgrade, settings.tables("proxy"), "xget_proxy")
        database = Database(settings.tables("proxy"))
        await open_keys(settings, database, SEALED)
        await database.close()
        assert told(await look_at_secrets(settings)) == [("proxy", "ok")]
        (wrong,) = await look_at_secrets(settings.model_copy(update={"kek": Secret(OTHER)}))
        assert (wrong.name, wrong.state) == ("proxy", "wrong")
        assert "XGET_KEK holds another key under the name k1" in wrong.says
        assert OTHER.partition(":")[2] not in wrong.says
