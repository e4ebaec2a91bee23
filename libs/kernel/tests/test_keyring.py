import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xget_kernel.errors import StartupError
from xget_kernel.keys import KeyStore
from xget_kernel.secrets import Keyring, SecretUnreadable

RING = Keyring({"old": b"o" * 32, "new": b"n" * 32})


@given(st.text(), st.text())
def test_what_is_encrypted_comes_back_for_its_own_place_only(plain, aad):
    token = RING.encrypt(plain, aad=aad)
    assert RING.decrypt(token, aad=aad) == plain
    with pytest.raises(SecretUnreadable, match="another row or field"):
        RING.decrypt(token, aad=aad + ".")


@given(st.text(min_size=1), st.data())
def test_a_changed_byte_is_noticed(plain, data):
    version, key_id, encoded = RING.encrypt(plain, aad="a").split(":")
    raw = bytearray(base64.urlsafe_b64decode(encoded))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SecretUnreadable):
        RING.decrypt(f"{version}:{key_id}:{base64.urlsafe_b64encode(raw).decode()}", aad="a")


@given(st.text() | st.text().map("v1:new:".__add__) | st.text().map("v1:".__add__))
def test_any_text_is_refused_with_a_sentence(text):
    with pytest.raises(SecretUnreadable, match=r"\.$"):
        RING.decrypt(text, aad="a")


def test_the_same_text_looks_different_each_time():
    assert RING.encrypt("x", aad="a") != RING.encrypt("x", aad="a")


def test_the_newest_key_encrypts_and_old_ones_still_decrypt():
    token = Keyring({"old": b"o" * 32}).encrypt("x", aad="a")
    assert RING.decrypt(token, aad="a") == "x"
    assert not RING.is_current(token)
    assert RING.is_current(RING.encrypt("x", aad="a"))


def test_a_key_that_is_gone_is_named():
    with pytest.raises(SecretUnreadable, match="The key new of this secret is not in the keyring"):
        Keyring({"old": b"o" * 32}).decrypt(RING.encrypt("x", aad="a"), aad="a")


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path):
    path = tmp_path / "home" / "keys.json"
    token = KeyStore(path).open().encrypt("x", aad="a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KeyStore(path).open().decrypt(token, aad="a") == "x"
    assert os.listdir(path.parent) == ["keys.json"]


def test_all_who_come_at_once_get_the_same_keys(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        rings = list(pool.map(lambda _: KeyStore(tmp_path / "keys.json").open(), range(64)))
    assert len({ring.newest for ring in rings}) == 1
    assert os.listdir(tmp_path) == ["keys.json"]


def test_rotation_adds_a_key_and_keeps_the_old(tmp_path):
    path = tmp_path / "keys.json"
    before = KeyStore(path).open()
    first, token = before.newest, before.encrypt("x", aad="a")
    KeyStore(path).add()
    after = KeyStore(path).open()
    assert after.newest != first
    assert before.newest == after.newest, "who has it open works with the new one at once"
    assert KeyStore(path).open().newest == after.newest
    assert after.decrypt(token, aad="a") == "x"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"keys": {}}', b'{"keys": {"k": "YWJj"}}'])
def test_a_damaged_key_file_is_a_startup_error(tmp_path, content):
    (tmp_path / "keys.json").write_bytes(content)
    with pytest.raises(StartupError):
        KeyStore(tmp_path / "keys.json").open()
    assert (tmp_path / "keys.json").read_bytes() == content


def test_a_home_that_cannot_be_made_is_a_startup_error(tmp_path):
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StartupError, match="XGET_HOME"):
        KeyStore(tmp_path / "home" / "keys.json").open()


def test_keys_come_from_the_environment_too_newest_last():
    key = base64.b64encode(b"k" * 32).decode()
    ring = Keyring.from_env(f"a:{key}, b:{key}")
    assert ring.newest == "b"


@pytest.mark.parametrize("value", ["", ",", "a", "a:!!", "a:YWJj", ":" + base64.b64encode(b"k" * 32).decode()])
def test_wrong_keys_in_the_environment_are_a_startup_error(value):
    with pytest.raises(StartupError):
        Keyring.from_env(value)
