"""The keys that encrypt secrets: one file, shared by all processes that have the same home."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from xget_kernel.errors import Conflict, StartupError, Unavailable
from xget_kernel.files import read_or_create, replace
from xget_kernel.ids import new_id
from xget_kernel.keys.kek import Kek, KekTrouble
from xget_kernel.secrets import KEY_BYTES, Keyring

PLAIN: Final = "plain"


class KeyFile(msgspec.Struct, omit_defaults=True):
    """What lies in `keys.json`; in each part oldest first, and wrapped keys are newer than plain ones."""

    keys: dict[str, bytes] = msgspec.field(default_factory=dict)
    """Key id to 32 bytes (base64 in JSON), of an installation without a key-encryption key."""
    wrapped: dict[str, str] = msgspec.field(default_factory=dict)
    """Key id to what `Kek.wrap` made of it."""


class DataKey(msgspec.Struct, frozen=True):
    """What may be told of a key."""

    id: str
    wrapped_by: str
    """`plain`, `kek:<name>` or `transit:<name>`; `env` for a key of XGET_KEYS."""
    newest: bool


class KeysFixed(Conflict):
    code = "keys_fixed"
    title = "The keys are given by the environment"


class KeysUnavailable(Unavailable):
    code = "keys_unavailable"
    title = "The keys cannot be reached"


class KeyStore:
    """The file and what wraps the keys in it. All methods may wait: call them in a thread."""

    def __init__(self, path: Path, kek: Kek | None = None) -> None:
        self._path = path
        self._kek = kek
        self._seen: tuple[int, int, int] | None = None
        self.trouble: str | None = None
        """Why the newest state of the file could not be taken; the keys of before go on."""

    def open(self) -> Keyring:
        """The keyring; the file is made with a first key where there is none. Raises StartupError."""
        try:
            self._seen = self._stamp()
            if self._seen is None:
                key_id, key = new_id(), os.urandom(KEY_BYTES)
                read_or_create(self._path, self._encoded(self._with(KeyFile(), key_id, key)))
                self._seen = self._stamp()
            return Keyring(self._unwrapped(self._read()), self.changed)
        except KekTrouble as error:
            raise StartupError(str(error)) from error

    def changed(self, needed: bool = True) -> Mapping[str, bytes] | None:
        """The keys, if the file is another than when it was last looked at. What fails is `trouble`, tried again.

        When looking takes a request to another machine, only if they are `needed`.
        """
        stamp = self._stamp()
        if stamp is None or stamp == self._seen or not (needed or self._kek is None or not self._kek.remote):
            return None
        try:
            keys = self._unwrapped(self._read())
        except (KekTrouble, StartupError) as error:
            self.trouble = str(error)
            return None
        self._seen, self.trouble = stamp, None
        return keys

    def add(self) -> str:
        """Add a newest key; its id. Raises KeysUnavailable (503)."""
        with self._changing() as file:
            key_id = new_id()
            self._write(self._with(file, key_id, os.urandom(KEY_BYTES)))
        return key_id

    def rewrap(self) -> int:
        """Wrap all keys by the newest key-encryption key; how many were not. Raises KeysFixed (409), 503."""
        kek = self._kek
        if kek is None:
            raise KeysFixed(
                "There is no key-encryption key to wrap with: set XGET_KEK, XGET_KEK_FILE or XGET_VAULT_URL."
            )
        with self._changing() as file:
            kek.refresh()
            late = [*file.keys, *(k for k, token in file.wrapped.items() if kek.wrapped_by(token) != kek.name)]
            if late:
                keys = self._unwrapped(file)
                wrapped = {k: kek.wrap(k, key) if k in late else file.wrapped[k] for k, key in keys.items()}
                again = {k: kek.unwrap(k, token) for k, token in wrapped.items()}
                if again != keys:
                    raise KekTrouble("What was wrapped does not come back: the key file was left as it is.")
                self._write(KeyFile(wrapped=wrapped))
        return len(late)

    def told(self) -> list[DataKey]:
        """The keys without their bytes, oldest first. Raises StartupError."""
        file = self._read()
        by = dict.fromkeys(file.keys, PLAIN) | {k: _by(token) for k, token in file.wrapped.items()}
        return [DataKey(k, wrapped_by, k == [*by][-1]) for k, wrapped_by in by.items()]

    @property
    def elsewhere(self) -> bool:
        """Whether the key-encryption key lies on another machine."""
        return self._kek is not None and self._kek.elsewhere

    @property
    def wraps_with(self) -> str | None:
        """Name of the key-encryption key, None where there is none."""
        return self._kek.name if self._kek else None

    def renew(self) -> None:
        """Prolong the right to the key-encryption key; what fails is `trouble`."""
        try:
            if self._kek is not None:
                self._kek.refresh()
        except KekTrouble as error:
            self.trouble = str(error)
        else:
            self.trouble = None

    @contextmanager
    def _changing(self) -> Iterator[KeyFile]:
        """The file as it is, with nobody else changing it until the end."""
        try:
            handle = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield self._read()
            finally:
                os.close(handle)
        except (KekTrouble, StartupError) as error:
            raise KeysUnavailable(str(error)) from error
        except OSError as error:
            raise KeysUnavailable(
                f"{self._path} cannot be written ({error.strerror}): make room or give the right, then try again."
            ) from error

    def _with(self, file: KeyFile, key_id: str, key: bytes) -> KeyFile:
        if self._kek is None:
            return KeyFile({**file.keys, key_id: key}, file.wrapped)
        return KeyFile(file.keys, {**file.wrapped, key_id: self._kek.wrap(key_id, key)})

    def _unwrapped(self, file: KeyFile) -> dict[str, bytes]:
        if file.wrapped and self._kek is None:
            raise KekTrouble(
                f"The keys in {self._path} were wrapped by {_by([*file.wrapped.values()][-1])}: set XGET_KEK, "
                "XGET_KEK_FILE or XGET_VAULT_URL as it was then."
            )
        return file.keys | {k: self._kek.unwrap(k, token) for k, token in file.wrapped.items() if self._kek}

    def _read(self) -> KeyFile:
        try:
            return decoded(self._path.read_bytes(), self._path)
        except OSError as error:
            raise StartupError(f"The key file {self._path} cannot be read ({error.strerror}): restore it.") from error

    def _write(self, file: KeyFile) -> None:
        replace(self._path, self._encoded(file))

    @staticmethod
    def _encoded(file: KeyFile) -> bytes:
        return msgspec.json.encode(file)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def decoded(content: bytes, path: Path) -> KeyFile:
    """A key file's content. Raises StartupError."""
    try:
        file = msgspec.json.decode(content, type=KeyFile)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise StartupError(f"The key file {path} is damaged: restore it from a backup.") from None
    if not file.keys and not file.wrapped:
        raise StartupError(f"The key file {path} is damaged (it holds no key): restore it from a backup.")
    return file


def _by(token: str) -> str:
    return ":".join(token.split(":", 2)[:2])
