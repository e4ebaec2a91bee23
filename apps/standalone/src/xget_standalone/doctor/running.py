"""The engines of what runs on a home folder: a check-up from another shell has not been given their settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from xget_kernel.engines import SELECTORS, EngineSettings

_PROCESSES = Path("/proc")


def engines_of_running(home: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Settings of the engines by field, from the environment of a process of ours that holds the home.

    None when this environment selects engines itself, when nothing runs, and where processes do not show their
    environment (it takes Linux, and the same user).
    """
    own = os.environ if environ is None else environ
    if any(own.get(name) for name in (*SELECTORS.values(), "DATABASE_URL")):
        return {}
    try:
        pids = (home / "lock").read_text("ascii").split()
    except (OSError, UnicodeDecodeError):
        return {}
    for pid in filter(str.isdigit, pids):
        if (found := _environment(_PROCESSES / pid)) is not None:
            return {name: found[alias] for name, alias in _aliases().items() if found.get(alias)}
    return {}


def _environment(process: Path) -> dict[str, str] | None:
    """What a process of ours was started with; None when it has ended, or is another's."""
    try:
        if b"xget" not in (process / "cmdline").read_bytes():
            return None
        pairs = (process / "environ").read_bytes().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return None
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def _aliases() -> dict[str, str]:
    """The variable of each field about engines."""
    fields = EngineSettings.model_fields
    known = {name: str(field.validation_alias) for name, field in fields.items() if field.validation_alias}
    return {name: alias for name, alias in known.items() if name not in {"home", "replicas"}}
