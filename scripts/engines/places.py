"""Folders of the engines, and who owns what in them."""

from __future__ import annotations

import os
import pwd
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from engines.errors import EngineError


def is_root() -> bool:
    """Whether servers that refuse root have to run as somebody else."""
    return os.geteuid() == 0


def open_to_all(path: Path) -> bool:
    """Whether every user can walk to this path (each folder above it that exists lets others pass)."""
    resolved = path.resolve()
    return all(p.stat().st_mode & 0o001 for p in (resolved, *resolved.parents) if p.is_dir())


def cache() -> Path:
    """The folder of downloads and running sets, reachable for the user that the servers run as."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if not is_root() or open_to_all(base):
        return base / "xget" / "engines"
    folder = Path(tempfile.gettempdir()) / f"xget-engines-{os.geteuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise EngineError(f"{folder} belongs to somebody else. Remove it, or set XDG_CACHE_HOME to a folder of yours.")
    folder.chmod(0o755)
    return folder


@dataclass(frozen=True)
class User:
    """An unprivileged user and its group."""

    uid: int
    gid: int


def servant() -> User | None:
    """The user for servers that refuse root; None when we are not root and they run as we do."""
    if not is_root():
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise EngineError("There is no user `nobody` for servers that refuse root. Create it: useradd nobody") from None
    return User(entry.pw_uid, entry.pw_gid)


def set_folder(name: str) -> Path:
    """Where a set of engines keeps its state; the name is a plain word."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", name):
        raise EngineError(f"{name!r} is no name for a set: use letters, digits, dots, dashes.")
    return running() / name


def running() -> Path:
    """The folder of running sets: beside the downloads, or as XGET_ENGINES_RUN says."""
    named = os.environ.get("XGET_ENGINES_RUN")
    folder = Path(named) if named else cache() / "run"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    return folder


def set_names() -> list[str]:
    """Every set that has a folder."""
    return sorted(p.name for p in running().glob("*") if p.is_dir())
