"""Keys wrapped with HashiCorp Vault: the real client over real HTTP, against a stand-in of Vault's API."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xget_kernel.errors import StartupError
from xget_kernel.keys import KeySettings, KeysUnavailable, vault_session
from xget_kernel.secrets import Secret
from xget_testing.vault import Vault, running_vault

KEK = f"k1:{base64.b64encode(b'1' * 32).decode()}"
NEXT = f"k2:{base64.b64encode(b'2' * 32).decode()}"
TOKEN = {"vault_token": Secret("root-token")}
APPROLE = {"vault_role_id": "role", "vault_secret_id": Secret("s3cret-id")}
TRANSIT = {"vault_engine": "transit"}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine is no Vault that does not answer: here that is one whose port is closed."""
    monkeypatch.setattr(vault_session, "SECONDS", 60.0)


@pytest.fixture
def vault() -> Iterator[Vault]:
    with running_vault(Vault(kv={"secret/xget": {"kek": KEK}})) as vault:
        yield vault


def settings(home: Path, vault: Vault, **given: Any) -> KeySettings:
    return KeySettings(home=home, port=0, internal_token="t", vault_url=vault.url, **{**TOKEN, **given})


@pytest.mark.parametrize(("given", "by"), [({}, "kek:k1"), (TRANSIT, "transit:xget")])
def test_secrets_open_again_with_what_vault_holds(tmp_path: Path, vault: Vault, given: Any, by: str) -> None:
    keys = settings(tmp_path, vault, **given).open_keys()
    token = keys.ring.encrypt("x", aad="p")
    again = settings(tmp_path, vault, **given).open_keys()
    assert again.ring.decrypt(token, aad="p") == "x"
    assert again.wraps_with == by
    assert set(json.loads((tmp_path / "keys.json").read_text())) == {"wrapped"}


@pytest.mark.parametrize("login", ["approle", "kubernetes"])
async def test_it_logs_in_and_again_when_the_token_has_ended(tmp_path: Path, vault: Vault, login: str) -> None:
    (tmp_path / "jwt").write_text("a.pod.jwt\n")
    pod = {"vault_kubernetes_role": "xget", "vault_jwt_file": tmp_path / "jwt"}
    ways: dict[str, dict[str, Any]] = {"approle": APPROLE, "kubernetes": pod}
    keys = settings(tmp_path, vault, vault_token=None, **ways[login], **TRANSIT).open_keys()
    vault.end_tokens()
    await keys.add()
    assert vault.asked.count(f"POST auth/{login}/login") == 2


async def test_a_token_is_renewed_at_two_thirds_of_its_life(tmp_path: Path, vault: Vault) -> None:
    vault.lease_seconds = 0
    keys = settings(tmp_path, vault, vault_token=None, **APPROLE).open_keys()
    await keys.renew()
    assert "auth/token/renew-self" not in " ".join(vault.asked), "one without an end is not renewed"
    vault.lease_seconds = -1
    keys = settings(tmp_path, vault, vault_token=None, **APPROLE).open_keys()
    vault.lease_seconds = 3600
    await keys.renew()
    await keys.renew()
    assert " ".join(vault.asked).count("auth/token/renew-self") == 1


async def test_rewrapping_takes_up_a_key_that_was_written_to_vault_later(tmp_path: Path, vault: Vault) -> None:
    keys = settings(tmp_path, vault).open_keys()
    vault.kv["secret/xget"]["kek"] = f"{KEK},{NEXT}"
    assert await keys.rewrap() == 1
    assert [key.wrapped_by for key in await keys.told()] == ["kek:k2"]


def refuse_login(vault: Vault) -> None:
    vault.approles.clear()


@pytest.mark.parametrize(
    ("given", "change", "sentence"),
    [
        ({}, lambda vault: setattr(vault, "sealed", True), "is sealed or on standby: unseal it"),
        (
            {},
            Vault.end_tokens,
            r"refuses to read secret/xget \(403\): the token has ended or was revoked",
        ),
        (TRANSIT, Vault.end_tokens, r"refuses to wrap with transit/xget \(403\): the token has ended"),
        (
            {},
            lambda vault: vault.forbidden.add("secret/data/xget"),
            r"\(403\): the login is good and its policy does not allow it",
        ),
        ({"vault_mount": "old"}, lambda vault: vault.versions.update(old="1"), "is of KV version 1, and version 2 is"),
        ({"vault_mount": "new"}, lambda vault: vault.versions.update(new="2"), "correct XGET_VAULT_MOUNT"),
        ({}, lambda vault: vault.kv.update({"secret/xget": {"kek": "k1:%%%"}}), "is not base64: write each key as"),
        ({}, lambda vault: vault.kv.update({"secret/xget": {"kek": ""}}), "write `kek=id:base64` there"),
        ({"vault_token": None, **APPROLE}, refuse_login, r"finds the request wrong \(400\)"),
        ({"vault_mount": "kv"}, lambda _: None, "correct XGET_VAULT_MOUNT and XGET_VAULT_PATH"),
        ({"vault_path": "other"}, lambda _: None, "correct XGET_VAULT_MOUNT and XGET_VAULT_PATH"),
        ({"vault_field": "key"}, lambda _: None, "write `key=id:base64` there"),
        ({}, lambda vault: vault.kv.update({"secret/xget": {"kek": "k1:c2hvcnQ="}}), "has 5 bytes: a key has 32"),
        ({"vault_path": "absent", **TRANSIT}, lambda _: None, "correct XGET_VAULT_MOUNT and XGET_VAULT_PATH"),
    ],
)
def test_what_is_wrong_with_vault_stops_the_start_with_one_sentence(
    tmp_path: Path, vault: Vault, given: Any, change: Any, sentence: str
) -> None:
    change(vault)
    with pytest.raises(StartupError, match=sentence) as told:
        settings(tmp_path, vault, **given).open_keys()
    assert "\n" not in str(told.value)
    assert not any(word in str(told.value) for word in ("root-token", "s3cret-id", KEK.partition(":")[2]))
    assert not (tmp_path / "keys.json").exists()


def test_a_vault_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with running_vault(Vault()) as vault:
        given = settings(tmp_path, vault)
    with pytest.raises(StartupError, match="does not answer: start it, or correct XGET_VAULT_URL"):
        given.open_keys()


@pytest.mark.parametrize("given", [{}, TRANSIT])
async def test_when_it_goes_down_later_the_keys_go_on(tmp_path: Path, given: Any) -> None:
    with running_vault(Vault(kv={"secret/xget": {"kek": KEK}})) as vault:
        keys = settings(tmp_path, vault, **given).open_keys()
    token = keys.ring.encrypt("x", aad="p")
    assert keys.ring.decrypt(token, aad="p") == "x"
    if given:
        with pytest.raises(KeysUnavailable, match="does not answer"):
            await keys.add()
    await keys.renew()
    assert ("does not answer" in (keys.trouble or "")) is not bool(given), "Transit is not asked for nothing"


async def test_another_process_reads_what_a_new_key_wrote_through_transit(tmp_path: Path, vault: Vault) -> None:
    mine, theirs = (settings(tmp_path, vault, **TRANSIT).open_keys() for _ in range(2))
    added = await theirs.add()
    token = theirs.ring.encrypt("x", aad="p")
    assert token.startswith(f"v1:{added}:")
    assert mine.ring.decrypt(token, aad="p") == "x"


def test_nothing_of_it_is_logged(tmp_path: Path, vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        settings(tmp_path, vault, vault_token=None, **APPROLE, **TRANSIT).open_keys()
    secret = ("s3cret-id", *(token for token in vault.tokens if token != "root-token"))
    assert not any(word in caplog.text for word in secret)
