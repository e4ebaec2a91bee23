"""Secrets: encrypted in tables, hidden in logs."""

from __future__ import annotations

import base64
import hmac
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from xget_kernel.errors import StartupError, XGetError
from xget_kernel.files import read_or_create, replace
from xget_kernel.ids import new_id

MASK: Final = "********"
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_KEY_BYTES = 32
_NONCE_BYTES = 12


class Secret:
    """Text that shows itself only through `reveal()`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text]),
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json"),
        )


class SecretUnreadable(XGetError):
    """A stored secret does not decrypt here: wrong row, changed bytes, or a key that is gone."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "secret_unreadable"
    title: ClassVar[str] = "A stored secret cannot be read"


class _KeyFile(msgspec.Struct):
    keys: dict[str, bytes]
    """Key id to 32 bytes (base64 in JSON), oldest first."""


class Keyring:
    """AES-256-GCM with named keys. The newest (last) key encrypts; every key decrypts what it once wrote.

    A ciphertext is bound to its place by `aad`, for example `accounts:<row id>:password`: moved to another row or
    field it does not decrypt.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise StartupError("The keyring has no keys: restore the key file or set XGET_KEYS to `id:base64`.")
        for key_id, key in keys.items():
            _check(key_id, key)
        self._keys = dict(keys)
        self._ciphers = {key_id: AESGCM(key) for key_id, key in self._keys.items()}
        self.newest = next(reversed(self._keys))

    @classmethod
    def load_or_create(cls, path: Path) -> Keyring:
        """The keyring in the file; a new one with one key is written first when there is no file.

        Raises StartupError when the file cannot be read, written or understood.
        """
        fresh = _KeyFile({new_id(): os.urandom(_KEY_BYTES)})
        content = read_or_create(path, msgspec.json.encode(fresh))
        try:
            return cls(msgspec.json.decode(content, type=_KeyFile).keys)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StartupError(f"The key file {path} is damaged: restore it from a backup.") from error

    @classmethod
    def from_env(cls, value: str) -> Keyring:
        """From text: `id:base64` pairs joined by commas, newest last, each key 32 bytes. Raises StartupError."""
        keys: dict[str, bytes] = {}
        for pair in filter(None, (part.strip() for part in value.split(","))):
            key_id, _, encoded = pair.partition(":")
            try:
                keys[key_id] = base64.b64decode(encoded, validate=True)
            except ValueError as error:
                raise StartupError("A key of XGET_KEYS is not base64: write each key as `id:base64`.") from error
        return cls(keys)

    @classmethod
    def rotate(cls, path: Path) -> Keyring:
        """Add a new newest key to the file and return the keyring; old keys stay for what they wrote."""
        keys = dict(cls.load_or_create(path)._keys)
        keys[new_id()] = os.urandom(_KEY_BYTES)
        replace(path, msgspec.json.encode(_KeyFile(keys)))
        return cls(keys)

    def encrypt(self, plain: str, *, aad: str) -> str:
        """`v1:<key id>:<base64 of nonce and ciphertext>`, different each time."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.newest].encrypt(nonce, plain.encode(), aad.encode())
        return f"v1:{self.newest}:{base64.urlsafe_b64encode(nonce + sealed).decode('ascii')}"

    def decrypt(self, token: str, *, aad: str) -> str:
        """The text that `encrypt` was given with the same `aad`. Raises SecretUnreadable."""
        version, key_id, encoded = (*token.split(":", 2), "", "")[:3]
        if version != "v1":
            raise SecretUnreadable("This value is not an encrypted secret of XGet: write the secret again.")
        if key_id not in self._ciphers:
            raise SecretUnreadable(
                f"The key {key_id} of this secret is not in the keyring: restore the key file or set the secret again."
            )
        try:
            raw = base64.b64decode(encoded.encode("ascii"), altchars=b"-_", validate=True)
            return self._ciphers[key_id].decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], aad.encode()).decode()
        except (ValueError, InvalidTag) as error:
            raise SecretUnreadable(
                "This secret does not decrypt: it was written for another row or field, or its bytes were changed. "
                "Write the secret again."
            ) from error

    def is_current(self, token: str) -> bool:
        """Whether the newest key wrote `token`; if not, encrypt it anew after a rotation."""
        return token.startswith(f"v1:{self.newest}:")


def _check(key_id: str, key: bytes) -> None:
    if not _KEY_ID.fullmatch(key_id):
        raise StartupError("A key id of the keyring has other characters than letters, digits, - and _: rename it.")
    if len(key) != _KEY_BYTES:
        raise StartupError(f"The key {key_id} of the keyring has {len(key)} bytes: a key has {_KEY_BYTES}.")
