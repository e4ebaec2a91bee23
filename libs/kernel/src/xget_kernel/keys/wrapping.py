"""Data keys, wrapped and unwrapped by a key-encryption key, if there is one."""

from __future__ import annotations

import os
from collections.abc import Mapping

from xget_kernel.ids import new_id
from xget_kernel.keys.content import KeyFile, KeysFixed, Retired, wrapper_of
from xget_kernel.keys.kek import Kek, KekTrouble
from xget_kernel.secrets import KEY_BYTES, NotPickled


class Wrapping(NotPickled):
    """What a key-encryption key does to a set of data keys. Where it lies elsewhere all of it may wait."""

    def __init__(self, kek: Kek | None = None) -> None:
        self.kek = kek
        self._known: dict[str, bytes] = {}
        """What a request to another machine unwrapped, by the wrapped text."""

    @property
    def name(self) -> str | None:
        """Name of the key-encryption key, None where there is none."""
        return self.kek.name if self.kek else None

    @property
    def elsewhere(self) -> bool:
        """Whether the key-encryption key lies on another machine."""
        return self.kek is not None and self.kek.elsewhere

    def with_new(self, file: KeyFile) -> tuple[str, KeyFile]:
        """Id of a fresh newest key, and the file with it. Raises KekTrouble."""
        key_id, key = new_id(), os.urandom(KEY_BYTES)
        if self.kek is None:
            return key_id, KeyFile({**file.keys, key_id: key}, file.wrapped, file.retired)
        return key_id, KeyFile(file.keys, {**file.wrapped, key_id: self.kek.wrap(key_id, key)}, file.retired)

    def opened(self, file: KeyFile) -> dict[str, bytes]:
        """Every key that is not retired, oldest first. Raises KekTrouble."""
        if file.wrapped and self.kek is None:
            raise KekTrouble(
                f"The keys were wrapped by {wrapper_of([*file.wrapped.values()][-1])}: set XGET_KEK, XGET_KEK_FILE or "
                "XGET_VAULT_URL as it was then."
            )
        return file.keys | {k: self._unwrapped(k, token) for k, token in file.wrapped.items()}

    def rewrapped(self, file: KeyFile) -> tuple[int, KeyFile]:
        """How many keys the newest key-encryption key had not wrapped, and the file with all wrapped by it.

        Raises KekTrouble, KeysFixed (409).
        """
        kek = self._needed()
        kek.refresh()
        live = self.wrapped_keys(file.keys) | {k: self._by_newest(k, token) for k, token in file.wrapped.items()}
        away = {k: self._retired_by_newest(k, one) for k, one in file.retired.items()}
        made = KeyFile(wrapped=live, retired=away)
        late = len(file.keys) + sum(made.wrapped[k] != token for k, token in file.wrapped.items())
        late += sum(away[k] != one for k, one in file.retired.items())
        if late and {k: kek.unwrap(k, token) for k, token in live.items()} != self.opened(file):
            raise KekTrouble("What was wrapped does not come back: the keys were left as they are.")
        return late, made

    def wrapped_keys(self, keys: Mapping[str, bytes]) -> dict[str, str]:
        """Plain keys, wrapped. Raises KekTrouble, KeysFixed (409)."""
        kek = self._needed()
        return {k: kek.wrap(k, key) for k, key in keys.items()}

    def _needed(self) -> Kek:
        if self.kek is None:
            raise KeysFixed(
                "There is no key-encryption key to wrap with: set XGET_KEK, XGET_KEK_FILE or XGET_VAULT_URL."
            )
        return self.kek

    def _by_newest(self, key_id: str, token: str) -> str:
        kek = self._needed()
        return token if kek.wrapped_by(token) == kek.name else kek.wrap(key_id, kek.unwrap(key_id, token))

    def _retired_by_newest(self, key_id: str, one: Retired) -> Retired:
        if one.wrapped is None:
            return Retired(one.at, wrapped=self._needed().wrap(key_id, one.key or b""))
        return Retired(one.at, wrapped=self._by_newest(key_id, one.wrapped))

    def _unwrapped(self, key_id: str, token: str) -> bytes:
        kek = self._needed()
        if not kek.remote:
            return kek.unwrap(key_id, token)
        if token not in self._known:
            self._known[token] = kek.unwrap(key_id, token)
        return self._known[token]

    def __repr__(self) -> str:
        return f"Wrapping({self.name})"
