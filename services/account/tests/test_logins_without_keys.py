"""Logins of accounts whose secrets no key opens: they wait for the key, and the others go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xget_account.models import LOGIN_SECRETS, Login
from xget_account.service.vault import Vault
from xget_kernel.keys import KeyStore
from xget_kernel.secrets import Keyring
from xget_testing.logins import ALICE, last, make_runner, sandbox

__all__ = ["make_runner", "sandbox"]


@pytest.fixture
def lose_keys(tmp_path: Path) -> Callable[[], Callable[[], None]]:
    """Puts another key in the place of all; what it returns brings them back beside it."""
    path = tmp_path / "keys.json"

    def lose() -> Callable[[], None]:
        before = json.loads(path.read_bytes())
        path.unlink()
        KeyStore(path).open()
        now = json.loads(path.read_bytes())
        return lambda: path.write_text(json.dumps({"keys": before["keys"] | now["keys"]})) and None

    return lose


async def test_who_lacks_a_key_waits_for_it_and_holds_up_nobody(
    client: Any, add_account: Any, make_runner: Any, clock: Any, lose_keys: Any
) -> None:
    given = {**ALICE, "cookies": None}
    lost = (await add_account(**{**given, "username": "bob"}))["id"]
    alice = (await add_account(**given))["id"]
    bring_back = lose_keys()
    await client.put(f"/api/v1/accounts/{alice}", json={"password": ALICE["password"], "totp": ALICE["totp"]})
    assert await make_runner().run() == 2
    assert (await last(client, alice))["outcome"] == "logged_in"
    done = await last(client, lost)
    assert (done["outcome"], done["sentence"][:32]) == ("key_lost", "Its password cannot be decrypted")
    status = (await client.get(f"/api/v1/accounts/{lost}/status")).json()
    assert (status["state"], status["next_step"], status["login"]) == ("NEEDS_LOGIN", "give_key", None)
    assert await make_runner().run() == 0
    clock.advance(120)
    bring_back()
    assert await make_runner().run() == 1
    assert (await last(client, lost))["outcome"] not in {"key_lost", None}, "with its key it is tried as ever"


async def test_what_was_refused_before_the_key_was_lost_waits_for_another_secret(
    client: Any, add_account: Any, make_runner: Any, clock: Any, lose_keys: Any
) -> None:
    account = (await add_account(**{**ALICE, "cookies": None, "password": "other"}))["id"]
    assert await make_runner().run() == 1
    lose_keys()
    clock.advance(600)
    assert (await client.put(f"/api/v1/accounts/{account}", json={"daily_budget": 10})).status_code == 200
    assert await make_runner().run() == 0
    secrets = {"password": ALICE["password"], "totp": ALICE["totp"]}
    assert (await client.put(f"/api/v1/accounts/{account}", json=secrets)).status_code == 200
    assert await make_runner().run() == 1
    assert (await client.get(f"/api/v1/accounts/{account}/status")).json()["state"] == "ACTIVE"


def test_a_session_whose_key_is_lost_is_begun_anew() -> None:
    login = Login(account_id="a")
    Vault(Keyring({"old": b"1" * 32})).seal_login(login, LOGIN_SECRETS[0], "{}")
    assert Vault(Keyring({"new": b"2" * 32})).session_of(login) is None
    both = Vault(Keyring({"old": b"1" * 32, "new": b"2" * 32})).session_of(login)
    assert both is not None
    assert both.reveal() == "{}"
