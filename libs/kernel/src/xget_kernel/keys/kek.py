"""Key-encryption keys: what wraps the keys that encrypt secrets."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Final, NoReturn, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from xget_kernel.secrets import key_of

_NONCE_BYTES: Final = 12


class KekTrouble(Exception):
    """A key cannot be wrapped or unwrapped now; the text is a sentence with the fix and holds no secret."""


class Kek(Protocol):
    """Wraps data keys; a wrapped one is text without blanks."""

    @property
    def name(self) -> str:
        """Which key wraps now, as it is told to people."""

    @property
    def remote(self) -> bool:
        """Whether each unwrapping is a request to another machine."""

    @property
    def elsewhere(self) -> bool:
        """Whether the key lies on another machine, so that the right to it must be renewed."""

    def wrap(self, key_id: str, key: bytes) -> str:
        """The key, wrapped and bound to its id. Raises KekTrouble."""

    def unwrap(self, key_id: str, token: str) -> bytes:
        """What `wrap` was given with the same id. Raises KekTrouble."""

    def wrapped_by(self, token: str) -> str:
        """The `name` that a token was wrapped by."""

    def refresh(self) -> None:
        """Look again at where the key comes from, and prolong the right to. Raises KekTrouble."""


class LocalKek:
    """AES-256-GCM with named keys of this process: the last wraps, each unwraps what it wrapped."""

    remote = False
    elsewhere = False

    def __init__(self, keys: Mapping[str, bytes], where: str) -> None:
        self._where = where
        self.put(keys)

    def put(self, keys: Mapping[str, bytes]) -> None:
        """Work with these keys from now on. Raises StartupError."""
        self._ciphers = {key_id: AESGCM(key_of(key_id, key)) for key_id, key in keys.items()}
        self._newest = next(reversed(self._ciphers))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A key-encryption key is not pickled: it would be written in plain text.")

    @property
    def name(self) -> str:
        return f"kek:{self._newest}"

    def wrap(self, key_id: str, key: bytes) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        raw = nonce + self._ciphers[self._newest].encrypt(nonce, key, _place(key_id))
        return f"{self.name}:{base64.urlsafe_b64encode(raw).decode('ascii')}"

    def unwrap(self, key_id: str, token: str) -> bytes:
        kind, name, encoded = (*token.split(":", 2), "", "")[:3]
        if kind != "kek":
            raise KekTrouble(
                f"The key {key_id} was wrapped by {self.wrapped_by(token)}, and {self._where} is no such thing: give "
                "the setting back that it was wrapped with."
            )
        if name not in self._ciphers:
            raise KekTrouble(
                f"The key {key_id} was wrapped by the key-encryption key {name}, which {self._where} does not hold: "
                "give it back, older ones first."
            )
        try:
            raw = base64.b64decode(encoded.encode("ascii"), altchars=b"-_", validate=True)
            return self._ciphers[name].decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _place(key_id))
        except (ValueError, InvalidTag):
            raise KekTrouble(
                f"The key {key_id} does not unwrap: {self._where} holds another key under the name {name}, or the key "
                "file was changed. Give the right one, or restore the file."
            ) from None

    def wrapped_by(self, token: str) -> str:
        return ":".join(token.split(":", 2)[:2])

    def refresh(self) -> None:
        """It was given at the start."""


def _place(key_id: str) -> bytes:
    return f"data-key:{key_id}".encode()
