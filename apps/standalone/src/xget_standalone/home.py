"""The folder that holds a node's state: one whole node, or services and workers beside each other; never a newer
release's."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from xget_kernel.errors import StartupError
from xget_kernel.files import read_or_create

FORMAT = 1
"""Raised when a release changes the layout of the folder in a way that older ones cannot read."""

_MARK = json.dumps({"format": FORMAT}).encode()


class Home:
    """Holds the folder's lock while it is open: alone (`xget up`), or shared with other services and workers."""

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self.path = path
        self._shared = shared
        self._lock: int | None = None

    def __enter__(self) -> Home:
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(self._lock, (fcntl.LOCK_SH if self._shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            holders = self._holders()
            os.close(self._lock)
            raise self._taken(holders) from error
        try:
            self._sign()
            self._check_format()
        except StartupError:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._lock is not None:
            os.close(self._lock)

    def _sign(self) -> None:
        """Write down who holds the folder; it only serves to tell another, so a full disk does not matter here."""
        assert self._lock is not None  # noqa: S101 - the lock was just taken
        with suppress(OSError), self._turn():
            kept = self._holders() if self._shared else []
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, "".join(f"{pid}\n" for pid in [*kept, os.getpid()]).encode(), 0)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Many sign at once when a cluster starts, and each writes down the others too: one after the other."""
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _holders(self) -> list[int]:
        """Processes that wrote themselves down and still live."""
        assert self._lock is not None  # noqa: S101 - only asked while the file is open
        written = os.pread(self._lock, 65536, 0).decode("ascii", "replace").split()
        pids = {int(word) for word in written if word.isdigit()} - {os.getpid()}
        return sorted(pid for pid in pids if _lives(pid))

    def _taken(self, holders: list[int]) -> StartupError:
        told = f" (pid {', '.join(map(str, holders))})" if holders else ""
        return StartupError(
            f"Another xget runs on {self.path}{told}: stop it first, or choose another folder with --home."
        )

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


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
