"""The folder that is moved: locked, and opened to be read only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from xget_kernel.errors import StartupError
from xget_standalone.home import Home


class Source:
    """A node's folder. Files are opened once each; the connections may be used from any thread, one at a time."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self._stack = stack
        self._open: dict[str, sqlite3.Connection | None] = {}

    def connect(self, name: str) -> sqlite3.Connection | None:
        """A read-only connection to a SQLite file, None when there is no such file. Raises StartupError."""
        if name not in self._open:
            path = self.path / name
            found = connect(path) if path.exists() else None
            if found is not None:
                self._stack.enter_context(closing(found))
            self._open[name] = found
        return self._open[name]


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The folder, held alone. Raises StartupError when it is none, is in use, or a newer XGet wrote it."""
    if not path.is_dir():
        raise StartupError(f"There is no folder {path}: name a single node's home with --from.")
    if not (path / "home.json").is_file():
        raise StartupError(f"{path} is no home of XGet (it has no home.json): name a single node's home with --from.")
    with ExitStack() as stack:
        try:
            stack.enter_context(Home(path))
        except StartupError as error:
            raise StartupError(str(error).replace("--home", "--from")) from error
        yield Source(path, stack)


def connect(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing. Raises StartupError.

    Nobody else has the file open: without a write-ahead log it is read as it lies, and no file beside it is needed.
    """
    log = path.with_name(f"{path.name}-wal")
    still = not log.exists() or log.stat().st_size == 0
    uri = f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if still else ''}"
    connection = None
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except (sqlite3.Error, OSError) as error:
        if connection is not None:
            connection.close()
        raise StartupError(f"{path} cannot be read ({error}): restore it from a backup, then retry.") from error
    return connection
