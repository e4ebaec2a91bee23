"""What is kept of the keys that encrypt secrets, wherever it lies."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from xget_kernel.errors import Conflict, NotFound, StartupError, Unavailable
from xget_kernel.secrets import NotPickled

PLAIN: Final = "plain"


class Retired(NotPickled, msgspec.Struct, frozen=True, omit_defaults=True):
    """A key that opens nothing any more and can be brought back."""

    at: datetime
    """Since when."""
    key: bytes | None = None
    wrapped: str | None = None
    """One of the two, as it was kept before."""

    def __repr__(self) -> str:
        return f"Retired({self.at:%Y-%m-%d})"


class KeyFile(NotPickled, msgspec.Struct, omit_defaults=True):
    """What lies in `keys.json`; in each part oldest first, and wrapped keys are newer than plain ones."""

    keys: dict[str, bytes] = msgspec.field(default_factory=dict)
    """Key id to 32 bytes (base64 in JSON), of an installation without a key-encryption key."""
    wrapped: dict[str, str] = msgspec.field(default_factory=dict)
    """Key id to what `Kek.wrap` made of it."""
    retired: dict[str, Retired] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        return f"KeyFile({', '.join([*self.keys, *self.wrapped])})"

    def told(self) -> list[DataKey]:
        """The keys without their bytes, oldest first, then those that are retired."""
        by = dict.fromkeys(self.keys, PLAIN) | {k: wrapper_of(token) for k, token in self.wrapped.items()}
        live = [DataKey(k, wrapped_by, k == [*by][-1]) for k, wrapped_by in by.items()]
        away = self.retired.items()
        return live + [DataKey(k, wrapper_of(one.wrapped or PLAIN), False, one.at) for k, one in away]

    def retiring(self, ids: Collection[str], at: datetime) -> KeyFile:
        """As it is without these keys, which can be restored. Raises KeyInUse (409) for the newest."""
        live = [*self.keys, *self.wrapped]
        if live[-1] in ids:
            raise KeyInUse(f"The key {live[-1]} is the newest and encrypts: `xget keys rotate` makes another.")
        away = {k: Retired(at, self.keys.get(k), self.wrapped.get(k)) for k in live if k in ids}
        keys, wrapped = _but(self.keys, ids), _but(self.wrapped, ids)
        return KeyFile(keys, wrapped, {**self.retired, **away})

    def restoring(self, ids: Collection[str]) -> KeyFile:
        """As it is with these retired keys, as the oldest. Raises NoSuchKey (404)."""
        lacking = [k for k in ids if k not in self.retired]
        if lacking:
            raise NoSuchKey(f"There is no retired key {lacking[0]}: `xget keys status` names them.")
        back = {k: one for k, one in self.retired.items() if k in ids}
        keys = {k: one.key for k, one in back.items() if one.key is not None}
        wrapped = {k: one.wrapped for k, one in back.items() if one.wrapped is not None}
        return KeyFile({**keys, **self.keys}, {**wrapped, **self.wrapped}, _but(self.retired, ids))

    def forgetting(self, ids: Collection[str]) -> KeyFile:
        """As it is without these retired keys, for ever."""
        return KeyFile(self.keys, self.wrapped, _but(self.retired, ids))


class DataKey(msgspec.Struct, frozen=True):
    """What may be told of a key."""

    id: str
    wrapped_by: str
    """`plain`, `kek:<name>` or `transit:<name>`; `env` for a key of XGET_KEYS."""
    newest: bool
    retired_at: datetime | None = None


class KeysFixed(Conflict):
    code = "keys_fixed"
    title = "The keys are given by the environment"


class KeyInUse(Conflict):
    code = "key_in_use"
    title = "The key is in use"


class NoSuchKey(NotFound):
    code = "key_not_found"
    title = "No such key"


class KeysUnavailable(Unavailable):
    code = "keys_unavailable"
    title = "The keys cannot be reached"


def decoded(content: bytes, path: Path) -> KeyFile:
    """A key file's content. Raises StartupError."""
    try:
        file = msgspec.json.decode(content, type=KeyFile)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise StartupError(f"The key file {path} is damaged: restore it from a backup.") from None
    if not file.keys and not file.wrapped:
        raise StartupError(f"The key file {path} is damaged (it holds no key): restore it from a backup.")
    return file


def wrapper_of(token: str) -> str:
    """Name of the key-encryption key that wrapped a key."""
    return ":".join(token.split(":", 2)[:2])


_T = TypeVar("_T")


def _but(found: dict[str, _T], ids: Collection[str]) -> dict[str, _T]:
    return {k: one for k, one in found.items() if k not in ids}
