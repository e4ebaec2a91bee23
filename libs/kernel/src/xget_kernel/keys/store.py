"""The keys that encrypt secrets: one file, shared by all processes that have the same home."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from xget_kernel.errors import StartupError
from xget_kernel.files import read_or_create, replace
from xget_kernel.keys.content import DataKey, KeyFile, KeysUnavailable, decoded
from xget_kernel.keys.kek import Kek, KekTrouble
from xget_kernel.keys.wrapping import Wrapping
from xget_kernel.secrets import Keyring


class KeyStore:
    """The file and what wraps the keys in it. All methods may wait: call them in a thread."""

    def __init__(self, path: Path, kek: Kek | None = None) -> None:
        self._path = path
        self.wrapping = Wrapping(kek)
        self._seen: tuple[int, int, int] | None = None
        self.trouble: str | None = None
        """Why the newest state of the file could not be taken; the keys of before go on."""

    @property
    def gone(self) -> str | None:
        """That the file was there and is not any more, as a sentence."""
        if self._seen is None or self._stamp() is not None:
            return None
        return f"The key file {self._path} is gone: restore it before the next start, which refuses without it."

    def open(self) -> Keyring:
        """The keyring; the file is made with a first key where there is none. Raises StartupError."""
        try:
            self._seen = self._stamp()
            if self._seen is None:
                _, first = self.wrapping.with_new(KeyFile())
                read_or_create(self._path, msgspec.json.encode(first))
                self._seen = self._stamp()
            return Keyring(self.wrapping.opened(self.read()), self.changed)
        except KekTrouble as error:
            raise StartupError(str(error)) from error

    def changed(self, needed: bool = True) -> Mapping[str, bytes] | None:
        """The keys, if the file is another than when it was last looked at. What fails is `trouble`, tried again.

        When looking takes a request to another machine, only if they are `needed`.
        """
        stamp, kek = self._stamp(), self.wrapping.kek
        if stamp is None or stamp == self._seen or not (needed or kek is None or not kek.remote):
            return None
        try:
            keys = self.wrapping.opened(self.read())
        except (KekTrouble, StartupError) as error:
            self.trouble = str(error)
            return None
        self._seen, self.trouble = stamp, None
        return keys

    def add(self) -> str:
        """Add a newest key; its id. Raises KeysUnavailable (503)."""
        added = list[str]()

        def with_one(file: KeyFile) -> KeyFile:
            key_id, more = self.wrapping.with_new(file)
            added.append(key_id)
            return more

        self.change(with_one)
        return added[0]

    def rewrap(self) -> int:
        """Wrap all keys by the newest key-encryption key; how many were not. Raises KeysFixed (409), 503."""
        done = list[int]()

        def wrapped_anew(file: KeyFile) -> KeyFile:
            late, made = self.wrapping.rewrapped(file)
            done.append(late)
            return made if late else file

        self.change(wrapped_anew)
        return done[0]

    def told(self) -> list[DataKey]:
        """The keys without their bytes, oldest first. Raises StartupError."""
        return self.read().told()

    def change(self, how: Callable[[KeyFile], KeyFile]) -> None:
        """Replace the file by what `how` makes of it, with nobody else changing it meanwhile. Raises 503."""
        try:
            handle = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                before = self.read()
                after = how(before)
                if after is not before:
                    replace(self._path, msgspec.json.encode(after))
            finally:
                os.close(handle)
        except (KekTrouble, StartupError) as error:
            raise KeysUnavailable(str(error)) from error
        except OSError as error:
            raise KeysUnavailable(
                f"{self._path} cannot be written ({error.strerror}): make room or give the right, then try again."
            ) from error

    def read(self) -> KeyFile:
        """What lies in it. Raises StartupError."""
        try:
            return decoded(self._path.read_bytes(), self._path)
        except OSError as error:
            raise StartupError(f"The key file {self._path} cannot be read ({error.strerror}): restore it.") from error

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
