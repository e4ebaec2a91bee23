"""Secrets: encrypted in tables, hidden in logs."""

from __future__ import annotations

import base64
import hmac
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from xget_kernel.errors import StartupError, Unavailable, XGetError

MASK: Final = "********"
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
KEY_BYTES: Final = 32
_NONCE_BYTES = 12
Changed = Callable[[bool], Mapping[str, bytes] | None]
Late = Callable[[str], bool]


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

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not pickled: it would be written in plain text.")

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


class NotPickled:
    """Base of what carries secrets: neither pickled nor copied, so that they are written nowhere by the way."""

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is not pickled: it would be written with its secrets.")


class SecretUnreadable(XGetError):
    """A stored secret does not decrypt here: wrong row, changed bytes, or a key that is gone."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "secret_unreadable"
    title: ClassVar[str] = "A stored secret cannot be read"


class KeysLate(Unavailable):
    """The key of a secret is not known here yet and is being fetched: nothing is decided about the secret."""

    code: ClassVar[str] = "keys_late"
    title: ClassVar[str] = "A key is being fetched"


class Keyring:
    """AES-256-GCM with named keys. The newest (last) key encrypts; every key decrypts what it once wrote.

    A ciphertext is bound to its place by `aad`, for example `accounts:<row id>:password`: moved to another row or
    field it does not decrypt.
    """

    def __init__(self, keys: Mapping[str, bytes], changed: Changed | None = None) -> None:
        """`changed` is asked before each encryption, and with True for a key that is lacking: the keys, if there are
        others now, else None."""
        self.watch(changed)
        self.put(keys)

    def watch(self, changed: Changed | None, late: Late | None = None) -> None:
        """Ask these from now on; `late` is asked whether a key that is lacking may only be late: KeysLate is raised."""
        self._changed = changed
        self._late = late

    def put(self, keys: Mapping[str, bytes]) -> None:
        """Work with these keys from now on. Raises StartupError."""
        if not keys:
            raise StartupError("The keyring has no keys: restore the key file or set XGET_KEYS to `id:base64`.")
        self._ciphers = {key_id: AESGCM(key_of(key_id, key)) for key_id, key in keys.items()}
        self._newest = next(reversed(self._ciphers))

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._ciphers)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A keyring is not pickled: it would be written with its keys.")

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of its keys, oldest first."""
        return tuple(self._ciphers)

    @property
    def newest(self) -> str:
        """Name of the key that encrypts now."""
        self._follow()
        return self._newest

    @classmethod
    def from_env(cls, value: str) -> Keyring:
        """From text: `id:base64` pairs joined by commas, newest last, each key 32 bytes. Raises StartupError."""
        return cls(keys_of(value, "XGET_KEYS"))

    def encrypt(self, plain: str, *, aad: str) -> str:
        """`v1:<key id>:<base64 of nonce and ciphertext>`, different each time."""
        nonce = os.urandom(_NONCE_BYTES)
        newest = self.newest
        sealed = self._ciphers[newest].encrypt(nonce, plain.encode(), aad.encode())
        return f"v1:{newest}:{base64.urlsafe_b64encode(nonce + sealed).decode('ascii')}"

    def decrypt(self, token: str, *, aad: str) -> str:
        """The text that `encrypt` was given with the same `aad`. Raises SecretUnreadable, KeysLate (503)."""
        version, key_id, encoded = (*token.split(":", 2), "", "")[:3]
        if version != "v1":
            raise SecretUnreadable("This value is not an encrypted secret of XGet: write the secret again.")
        if key_id not in self._ciphers:
            self._follow(needed=True)
        if key_id not in self._ciphers:
            if self._late is not None and self._late(key_id):
                raise KeysLate(
                    f"The key {key_id} of a secret is being fetched: try again.", headers={"Retry-After": "1"}
                )
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

    def _follow(self, *, needed: bool = False) -> None:
        if self._changed is not None and (keys := self._changed(needed)) is not None:
            self.put(keys)


def keys_of(text: str, where: str) -> dict[str, bytes]:
    """Keys in `id:base64` pairs with commas, blanks or line ends between them, newest last. Raises StartupError."""
    keys: dict[str, bytes] = {}
    for pair in re.split(r"[\s,]+", text.strip()):
        key_id, colon, encoded = pair.partition(":")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise StartupError(f"A key of {where} is not base64: write each key as `id:base64`.") from None
        if not colon:
            raise StartupError(f"{where} holds something that is no key: write each key as `id:base64`.")
        if key_id in keys:
            raise StartupError(f"{where} names two keys {key_id}: give each a name of its own.")
        keys[key_id] = key_of(key_id, raw, where)
    return keys


def key_of(key_id: str, key: bytes, where: str = "the keyring") -> bytes:
    """The key, if both are as they must be. Raises StartupError."""
    if not _KEY_ID.fullmatch(key_id):
        raise StartupError(f"A key id of {where} has other characters than letters, digits, - and _: rename it.")
    if len(key) != KEY_BYTES:
        raise StartupError(f"The key {key_id} of {where} has {len(key)} bytes: a key has {KEY_BYTES}.")
    return key
