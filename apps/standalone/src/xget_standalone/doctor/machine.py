"""The folder of files and keys, and the disk below it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from xget_standalone.doctor.findings import Finding

LEAST_FREE: Final = 1_000_000_000


def look_at_home(home: Path) -> Finding:
    """Whether the home folder can be written and has room."""
    place = home.resolve()
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    facts = {"free_bytes": free}
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return _wrong(
            home, facts, f"{there} cannot be written.", "Choose another folder by XGET_HOME, or mend its rights."
        )
    if free < LEAST_FREE:
        return _wrong(home, facts, f"Only {free // 1_000_000} MB are free.", "Make room, or move the folder.")
    if there != place:
        return Finding(area="home", name=str(home), state="idle", says="It is not there yet.", facts=facts)
    loose = [name for name in ("keys.json", "internal.token") if _others_read(home / name)]
    if loose:
        told = " and ".join(loose)
        return _wrong(home, facts, f"Others may read {told}.", f"chmod 600 {' '.join(str(home / n) for n in loose)}")
    return Finding(area="home", name=str(home), state="ok", says=f"{free // 1_000_000_000} GB free", facts=facts)


def _wrong(home: Path, facts: dict[str, int], says: str, advice: str) -> Finding:
    return Finding(area="home", name=str(home), state="wrong", says=says, advice=advice, facts=facts)


def _others_read(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & 0o077)
