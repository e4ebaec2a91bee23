"""Small private files that several processes may want to make at the same moment."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from xget_kernel.errors import StartupError


def read_or_create(path: Path, content: bytes) -> bytes:
    """What `path` holds; when it is not there, `content` is written first (mode 0600, whole or not at all).

    Of several processes that come at once one wins and all return the same bytes. Raises StartupError.
    """
    try:
        with contextlib.suppress(FileNotFoundError):
            return path.read_bytes()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):
            _create(path, content)
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise StartupError(
            f"Cannot read or create {path} ({reason}): give this user the right to write there or set XGET_HOME."
        ) from error


def replace(path: Path, content: bytes) -> None:
    """Put `content` in place of what `path` holds, in one step (mode 0600). Raises OSError."""
    draft = _draft(path, content)
    try:
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _create(path: Path, content: bytes) -> None:
    draft = _draft(path, content)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()
    _sync_folder(path.parent)


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
