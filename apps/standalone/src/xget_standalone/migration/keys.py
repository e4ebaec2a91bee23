"""The keys that encrypt secrets, and whether every secret in the target can be read with those that it has."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Table, select

from xget_db.engine import Database
from xget_db.sealed import Sealed
from xget_kernel.errors import StartupError
from xget_kernel.files import replace
from xget_kernel.keys import KeyFile, KeySettings, decoded
from xget_kernel.secrets import Keyring, SecretUnreadable
from xget_standalone.migration.progress import Progress, Watch
from xget_standalone.migration.report import Line
from xget_standalone.migration.tables import tables_of

KEEPERS: Final = ("auth", "account", "proxy")
"""Services with secrets in their tables."""
_PIECE: Final = 200


def sealed_of(service: str) -> tuple[Sealed, ...]:
    """The tables of a service that hold ciphertexts."""
    return cast("tuple[Sealed, ...]", import_module(f"xget_{service}.models").SEALED)


class KeyStep:
    """Brings `keys.json` into the target's home; where there is one already, it gets the keys that it lacks.

    Wrapped keys move as they are: the target needs the key-encryption key that wrapped them.
    """

    def __init__(self, source: Path, target: Path, given: str | None) -> None:
        self.line = Line(concern="keys", name="keys.json")
        self._target = target / "keys.json"
        self._given = given
        self._file = _read(source / "keys.json")
        self._ours = _held(self._file)

    async def measure(self) -> None:
        """Also refuses, with StartupError, keys of the target that cannot read the source's secrets."""
        self.line.source = len(self._ours)
        theirs = self._theirs()
        lacking = [name for name in self._ours if name not in theirs]
        if self._given is not None and (lacking or self._file.wrapped):
            raise StartupError(
                f"XGET_KEYS of the target lacks the key {[*lacking, *self._file.wrapped][0]} of the source: add "
                "`id:base64` of it from the source's keys.json before the others, or unset XGET_KEYS to have the file "
                "copied (a wrapped key can only be copied)."
            )
        clash = next((name for name in self._ours if theirs.get(name, self._ours[name]) != self._ours[name]), None)
        if clash:
            raise StartupError(f"The target has another key under the name {clash}: restore the keys.json of one.")

    async def move(self, progress: Progress, watch: Watch) -> None:
        found = _read(self._target) if self._given is None else self._file
        theirs = self._theirs()
        lacking = [name for name in self._ours if name not in theirs]
        if lacking:
            merged = KeyFile({**self._file.keys, **found.keys}, {**self._file.wrapped, **found.wrapped})
            try:
                self._target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                replace(self._target, msgspec.json.encode(merged))
            except OSError as error:
                raise StartupError(
                    f"{self._target} cannot be written ({error.strerror}): make room or give the right, then retry."
                ) from error
        self.line.moved, self.line.present = len(lacking), len(self._ours) - len(lacking)
        watch("keys", len(self._ours), len(self._ours))

    async def verify(self, watch: Watch) -> None:
        theirs = self._theirs()
        for name, key in self._ours.items():
            if theirs.get(name) != key:
                self.line.differs(name)
        self.line.verified = not self.line.problems

    def _theirs(self) -> dict[str, bytes | str]:
        if self._given is None:
            return _held(_read(self._target))
        pairs = (pair.strip().partition(":") for pair in self._given.split(",") if pair.strip())
        return {name: base64.b64decode(key) for name, _, key in pairs}


class SecretStep:
    """Decrypts every secret of the target's tables once, and says which do not."""

    def __init__(self, home: Path, given: str | None, targets: dict[str, Database]) -> None:
        self.line = Line(concern="keys", name="secrets")
        self._home = home
        self._given = given
        self._targets = targets

    async def measure(self) -> None:
        """They are counted when they are looked at."""

    async def move(self, progress: Progress, watch: Watch) -> None:
        """They move with their rows."""

    async def verify(self, watch: Watch) -> None:
        keyring = self._keyring()
        for service in KEEPERS:
            for sealed in sealed_of(service) if service in self._targets else ():
                table = next(table for table in tables_of(service) if table.name == sealed.table)
                last = ""
                while rows := await self._rows(self._targets[service], table, sealed.key, last):
                    for aad, token in _tokens(sealed, rows):
                        self.line.source += 1
                        if not _reads(keyring, token, aad):
                            self.line.differs(aad)
                    last = str(rows[-1][sealed.key])
                    watch("verify secrets", self.line.source, 0)
        self.line.verified = not self.line.problems

    def _keyring(self) -> Keyring | None:
        if self._given is not None:
            return Keyring.from_env(self._given)
        return KeySettings(home=self._home).keyring() if (self._home / "keys.json").exists() else None

    async def _rows(self, target: Database, table: Table, key: str, last: str) -> list[dict[str, Any]]:
        query = select(table).where(table.c[key] > last).order_by(table.c[key]).limit(_PIECE)
        async with target.read() as session:
            return [dict(row) for row in (await session.execute(query)).mappings()]


def _tokens(sealed: Sealed, rows: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for row in rows:
        for column in sealed.columns:
            if row[column] is not None:
                yield sealed.place(row[sealed.key], column), row[column]


def _reads(keyring: Keyring | None, token: str, aad: str) -> bool:
    try:
        return keyring is not None and keyring.decrypt(token, aad=aad) is not None
    except SecretUnreadable:
        return False


def _read(path: Path) -> KeyFile:
    try:
        return decoded(path.read_bytes(), path)
    except FileNotFoundError:
        return KeyFile()
    except OSError as error:
        raise StartupError(f"The key file {path} cannot be read ({error.strerror}): restore it.") from error


def _held(file: KeyFile) -> dict[str, bytes | str]:
    return {**file.keys, **file.wrapped}
