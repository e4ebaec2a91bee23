"""The folder that holds a single node's state: one process at a time, never one of a newer release."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType

from xget_kernel.errors import StartupError
from xget_kernel.files import read_or_create

FORMAT = 1
"""Raised when a release changes the layout of the folder in a way that older ones cannot read."""

_MARK = json.dumps({"format": FORMAT}).encode()


class Home:
    """Holds the folder's lock while it is open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def __enter__(self) -> Home:
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise StartupError(
                f"Another xget runs on {self.path}: stop it first, or choose another folder with --home."
            ) from error
        try:
            self._check_format()
        except StartupError:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._lock is not None:
            os.close(self._lock)

    def _unusable(self, error: OSError) -> StartupError:
        return StartupError(
            f"The home folder {self.path} cannot be used ({error.strerror}): choose another with --home."
        )

    def _check_format(self) -> None:
        marker = self.path / "home.json"
        try:
            found = int(json.loads(read_or_create(marker, _MARK))["format"])
        except (ValueError, KeyError, TypeError) as error:
            raise StartupError(f'{marker} is damaged: restore it from a backup, or write {{"format": 1}}.') from error
        if found > FORMAT:
            raise StartupError(
                f"{self.path} was written by a newer XGet (format {found}, this one knows {FORMAT}): "
                "install the newer release, or choose another folder with --home."
            )
