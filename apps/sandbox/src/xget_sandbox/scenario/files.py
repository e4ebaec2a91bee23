"""Where scenarios are."""

from __future__ import annotations

from pathlib import Path

from xget_sandbox.errors import SandboxError
from xget_sandbox.scenario.reading import Scenario, read_scenario

PACKAGE = Path(__file__).parents[1]


def folder() -> Path:
    """The scenarios that come along: inside an installed package, or beside a checkout's `src`."""
    inside = PACKAGE / "scenarios"
    return inside if inside.is_dir() else PACKAGE.parents[1] / "scenarios"


def scenarios() -> dict[str, Path]:
    """Scenarios that come along, by name."""
    return {path.stem: path for path in sorted(folder().glob("*.yaml"))}


def find_scenario(wanted: str) -> Scenario:
    """A scenario by file or name. Raises SandboxError."""
    path = Path(wanted)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return read_scenario(path)
    known = scenarios()
    if wanted not in known:
        raise SandboxError(f"There is no scenario {wanted!r}: it has to be a .yaml file or one of {', '.join(known)}.")
    return read_scenario(known[wanted])
