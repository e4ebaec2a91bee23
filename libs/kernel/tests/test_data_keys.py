"""The key file: plain as it was, or wrapped by a key-encryption key; shared by many processes."""

from __future__ import annotations

import base64
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xget_kernel.errors import StartupError
from xget_kernel.keys import KeySettings, KeysFixed, KeyStore, KeysUnavailable, LocalKek
from xget_kernel.secrets import Secret

ONE, TWO = b"1" * 32, b"2" * 32


def text(name: str, key: bytes) -> str:
    return f"{name}:{base64.b64encode(key).decode()}"


def kek(**keys: bytes) -> LocalKek:
    return LocalKek(keys, "XGET_KEK")


def settings(home: Path, **given: object) -> KeySettings:
    return KeySettings(home=home, port=0, internal_token="t", **given)


def test_with_a_key_encryption_key_no_data_key_lies_in_the_file(tmp_path: Path) -> None:
    ring = KeyStore(tmp_path / "keys.json", kek(a=ONE)).open()
    token = ring.encrypt("x", aad="p")
    file = json.loads((tmp_path / "keys.json").read_text())
    assert file == {"wrapped": {ring.newest: file["wrapped"][ring.newest]}}
    assert file["wrapped"][ring.newest].startswith("kek:a:")
    assert KeyStore(tmp_path / "keys.json", kek(a=ONE, b=TWO)).open().decrypt(token, aad="p") == "x"


def test_a_plain_file_opens_unchanged_and_rewrapping_wraps_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    token = KeyStore(path).open().encrypt("x", aad="p")
    before = path.read_bytes()
    store = KeyStore(path, kek(a=ONE))
    ring = store.open()
    assert path.read_bytes() == before
    assert [key.wrapped_by for key in store.told()] == ["plain"]
    assert store.rewrap() == 1
    assert store.rewrap() == 0
    assert "keys" not in json.loads(path.read_text())
    assert ring.decrypt(token, aad="p") == KeyStore(path, kek(a=ONE)).open().decrypt(token, aad="p") == "x"


def test_rewrapping_moves_to_the_newest_and_the_old_one_is_then_needed_no_more(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    KeyStore(path, kek(a=ONE)).open()
    store = KeyStore(path, kek(a=ONE, b=TWO))
    store.open()
    store.add()
    assert [key.wrapped_by for key in store.told()] == ["kek:a", "kek:b"]
    assert store.rewrap() == 1
    assert len(KeyStore(path, kek(b=TWO)).open().ids) == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (None, "set XGET_KEK, XGET_KEK_FILE or XGET_VAULT_URL as it was then"),
        (kek(a=TWO), "XGET_KEK holds another key under the name a, or the key file was changed"),
        (kek(b=ONE), "the key-encryption key a, which XGET_KEK does not hold: give it back"),
    ],
)
def test_a_wrong_or_missing_key_encryption_key_stops_the_start(
    tmp_path: Path, given: LocalKek | None, sentence: str
) -> None:
    KeyStore(tmp_path / "keys.json", kek(a=ONE)).open()
    with pytest.raises(StartupError, match=sentence):
        KeyStore(tmp_path / "keys.json", given).open()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"keys":{"a":"!"}}', '{"wrapped":{"a":1}}', "\xff"])
def test_a_damaged_file_is_said_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.json").write_text(content, "latin-1")
    with pytest.raises(StartupError, match="is damaged") as told:
        KeyStore(tmp_path / "keys.json").open()
    assert "\n" not in str(told.value)


def test_a_wrapped_key_under_another_name_does_not_unwrap(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    KeyStore(path, kek(a=ONE)).open()
    (token,) = json.loads(path.read_text())["wrapped"].values()
    path.write_text(json.dumps({"wrapped": {"other": token}}))
    with pytest.raises(StartupError, match="does not unwrap"):
        KeyStore(path, kek(a=ONE)).open()


def test_two_who_add_at_once_lose_none(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    KeyStore(path, kek(a=ONE)).open()
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: KeyStore(path, kek(a=ONE)).add(), range(16)))
    ring = KeyStore(path, kek(a=ONE)).open()
    assert len(ring.ids) == 17
    assert set(added) < set(ring.ids)


def test_who_has_the_file_open_uses_a_new_key_at_once_and_reads_what_others_wrote(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    mine, theirs = (KeyStore(path, kek(a=ONE)).open() for _ in range(2))
    added = KeyStore(path, kek(a=ONE)).add()
    token = theirs.encrypt("x", aad="p")
    assert token.startswith(f"v1:{added}:")
    assert mine.decrypt(token, aad="p") == "x"


def test_a_file_that_breaks_while_it_is_used_leaves_the_keys_of_before(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    ring = store.open()
    token = ring.encrypt("x", aad="p")
    (tmp_path / "keys.json").write_text("broken")
    assert ring.decrypt(ring.encrypt("y", aad="p"), aad="p") == "y"
    assert ring.decrypt(token, aad="p") == "x"
    assert "is damaged" in (store.trouble or "")


def test_a_file_that_goes_while_it_is_used_is_told_and_not_made_anew(tmp_path: Path) -> None:
    keys = settings(tmp_path).open_keys()
    token, path = keys.ring.encrypt("x", aad="p"), tmp_path / "keys.json"
    assert keys.trouble is None
    kept = path.read_bytes()
    path.unlink()
    assert f"The key file {path} is gone: restore it" in (keys.trouble or "")
    with pytest.raises(KeysUnavailable, match="restore it"):
        KeyStore(path).add()
    assert keys.ring.decrypt(token, aad="p") == "x"
    assert not path.exists()
    path.write_bytes(kept)
    assert keys.trouble is None


def test_settings_choose_one_source(tmp_path: Path) -> None:
    file = tmp_path / "kek"
    file.write_text(text("a", ONE) + "\n" + text("b", TWO) + "\n")
    by_file = settings(tmp_path, kek_file=file).open_keys()
    by_env = settings(tmp_path, kek=Secret(text("b", TWO))).open_keys()
    assert by_file.wraps_with == by_env.wraps_with == "kek:b"
    assert by_env.ring.decrypt(by_file.ring.encrypt("x", aad="p"), aad="p") == "x"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kek": Secret("a:" + "A" * 8), "kek_file": Path("x")}, "XGET_KEK and XGET_KEK_FILE are both set"),
        ({"kek": Secret(text("a", b"short"))}, "The key a of XGET_KEK has 5 bytes: a key has 32"),
        ({"kek": Secret("nonsense")}, "A key of XGET_KEK is not base64|XGET_KEK holds something that is no key"),
        ({"kek": Secret("a:%%%%")}, "A key of XGET_KEK is not base64: write each key as `id:base64`"),
        ({"kek": Secret(f"{text('a', ONE)},{text('a', TWO)}")}, "XGET_KEK names two keys a"),
        ({"keys": Secret("a:c2hvcnQ=")}, "The key a of XGET_KEYS has 5 bytes: a key has 32"),
        ({"keys": Secret("a:%%%%")}, "A key of XGET_KEYS is not base64"),
        ({"kek_file": Path("missing-kek")}, "cannot be read"),
        ({"vault_url": "http://127.0.0.1:1"}, "set without a login"),
    ],
)
def test_bad_settings_are_one_sentence(tmp_path: Path, given: dict[str, object], sentence: str) -> None:
    with pytest.raises(StartupError, match=sentence) as told:
        settings(tmp_path, **given).open_keys()
    assert "\n" not in str(told.value)
    assert "AAAAAAAA" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "XGET_KEK_FILE holds something that is no key"),
        (b"a:%%%%", "A key of XGET_KEK_FILE is not base64"),
        (b"a:c2hvcnQ=", "The key a of XGET_KEK_FILE has 5 bytes"),
        (b"\xff\xfe", "holds something that is no key: write `id:base64`"),
        (None, r"cannot be read \(Is a directory\): mount it, or correct it"),
    ],
)
def test_a_bad_key_encryption_file_is_one_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    file = tmp_path / "kek"
    file.mkdir() if content is None else file.write_bytes(content)
    with pytest.raises(StartupError, match=sentence) as told:
        settings(tmp_path, kek_file=file).open_keys()
    assert "\n" not in str(told.value)
    assert not (tmp_path / "keys.json").exists()


async def test_keys_of_the_environment_are_fixed(tmp_path: Path) -> None:
    keys = settings(tmp_path, keys=Secret(text("a", ONE))).open_keys()
    with pytest.raises(KeysFixed, match="add `id:base64` of a new one"):
        await keys.add()
    assert [(key.id, key.wrapped_by, key.newest) for key in await keys.told()] == [("a", "env", True)]


@pytest.mark.parametrize("thing", [Secret("x"), kek(a=ONE)])
def test_none_of_them_is_pickled(thing: object) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(thing)


def test_a_keyring_shows_its_names_only(tmp_path: Path) -> None:
    ring = KeyStore(tmp_path / "keys.json").open()
    assert repr(ring) == f"Keyring({ring.newest})"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(ring)
