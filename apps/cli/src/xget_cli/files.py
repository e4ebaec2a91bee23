"""Files that the user names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from xget_cli.errors import CliError

InputFile = Annotated[Path, Parameter(allow_leading_hyphen=True)]
"""A file to read; `-` is standard input."""
MAX_BYTES = 900_000
"""What fits into one request to a service."""


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
