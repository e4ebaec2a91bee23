"""Files that the user names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

from cyclopts import Parameter

from xget_cli.errors import CliError

InputFile = Annotated[Path, Parameter(allow_leading_hyphen=True)]
"""A file to read; `-` is standard input."""
MAX_BYTES = 900_000
"""What fits into one request to a service."""


def text_at_once(path: Path) -> str | None:
    """The text of a file that fits into one request and is UTF-8; None for another one."""
    if str(path) == "-":
        return read_text(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}.") from error


@contextmanager
def opened(path: Path | None) -> Iterator[IO[str] | None]:
    """A file to write text to, if one is named."""
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise CliError(f"{path} cannot be written: {error.strerror}.") from error
    with file:
        yield file


def read_text(path: Path) -> str:
    """The text of a file, or of standard input for `-`; UTF-8 with or without a byte order mark."""
    try:
        raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}.") from error
    if len(raw) > MAX_BYTES:
        raise CliError(f"{path} has {len(raw)} bytes; split it into files of at most {MAX_BYTES}.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CliError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8.") from error
