"""Reading a scenario; every mistake is told with file, key and rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xget_sandbox.director import Step
from xget_sandbox.drift import parse_drifts
from xget_sandbox.errors import SandboxError
from xget_sandbox.faults import parse_faults
from xget_sandbox.limits import parse_limits
from xget_sandbox.paging import parse_rules
from xget_sandbox.world.changes import check

WORLD = {"seed": int, "posts": int, "days": float, "rich": bool}
DEEDS = ("faults", "paging", "limits", "drift", "change", "advance")
TOP = ("about", "world", "clock", "schedule", *DEEDS)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A checked scenario."""

    about: str = ""
    world: Mapping[str, Any] = field(default_factory=dict)
    speed: float = 0.0
    start: Mapping[str, Any] = field(default_factory=dict)
    schedule: tuple[Step, ...] = ()


def read_scenario(path: Path) -> Scenario:
    """Raises SandboxError: `FILE: key: rule`."""
    import yaml  # noqa: PLC0415 - a sandbox without a scenario starts without it

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SandboxError(f"{path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SandboxError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error
    try:
        return parse_scenario(document)
    except SandboxError as error:
        raise SandboxError(f"{path}: {error}") from error


def parse_scenario(document: object) -> Scenario:
    """A scenario from its document. Raises SandboxError: `key: rule`."""
    top = _object("the file", document if document is not None else {}, TOP)
    world = _object("world", top.get("world", {}), tuple(WORLD))
    for name, value in world.items():
        _typed(f"world.{name}", value, WORLD[name])
    if world.get("days", 1) <= 0:
        raise SandboxError("world.days: has to be above 0.")
    clock = _object("clock", top.get("clock", {}), ("speed",))
    _typed("clock.speed", clock.get("speed", 0), float)
    if not isinstance(top.get("about", ""), str):
        raise SandboxError("about: has to be a text.")
    start = {name: top[name] for name in DEEDS if name in top}
    _deeds("", start)
    schedule = top.get("schedule", [])
    if not isinstance(schedule, list):
        raise SandboxError("schedule: has to be a list.")
    steps = tuple(_step(f"schedule[{place}]", step) for place, step in enumerate(schedule))
    return Scenario(top.get("about", ""), world, float(clock.get("speed", 0)), start, steps)


def _step(where: str, step: object) -> Step:
    made = _object(where, step, ("after", "at_request", *DEEDS))
    if ("after" in made) == ("at_request" in made):
        raise SandboxError(f"{where}: has to say either after (seconds) or at_request (a number from 1).")
    _typed(f"{where}.after", made.get("after", 0), float)
    _typed(f"{where}.at_request", made.get("at_request", 1), int)
    deeds = {name: value for name, value in made.items() if name in DEEDS}
    if not deeds:
        raise SandboxError(f"{where}: has to do something: one of {', '.join(DEEDS)}.")
    _deeds(f"{where}.", deeds)
    return Step(deeds, made.get("after"), made.get("at_request"))


def _deeds(where: str, deeds: Mapping[str, Any]) -> None:
    for name, value in deeds.items():
        try:
            CHECKS[name](value)
        except SandboxError as error:
            text = str(error)
            raise SandboxError(f"{where}{text if text.startswith(name) else f'{name}: {text}'}") from error


def _paging(value: Any) -> None:
    if not isinstance(value, (str, Mapping)):
        raise SandboxError("paging: has to be a text such as stall=800 or an object by operation.")
    parse_rules(value)


def _change(value: Any) -> None:
    try:
        check(value)
    except SandboxError as error:
        raise SandboxError(f"change.{error}") from error


CHECKS: dict[str, Callable[[Any], object]] = {
    "faults": parse_faults,
    "paging": _paging,
    "limits": parse_limits,
    "drift": parse_drifts,
    "change": _change,
    "advance": lambda value: _typed("advance", value, float),
}


def _object(where: str, value: object, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SandboxError(f"{where}: has to be an object of {', '.join(known)}.")
    for name in value:
        if name not in known:
            prefix = "" if where == "the file" else f"{where}."
            raise SandboxError(f"{prefix}{name}: unknown key; there are {', '.join(known)}.")
    return value


def _typed(where: str, value: object, kind: type) -> None:
    if kind is bool:
        if not isinstance(value, bool):
            raise SandboxError(f"{where}: has to be true or false.")
        return
    whole = kind is int
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or (whole and isinstance(value, float))
        or not 0 <= value < math.inf
    ):
        raise SandboxError(f"{where}: has to be a {'whole ' if whole else ''}number of at least 0.")
