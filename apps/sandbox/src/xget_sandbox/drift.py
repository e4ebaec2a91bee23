"""Format drift: X changes a field's name, type or place from one day to the next.

A drift is {field, do, to, operation, after, share}. `field` is a key with the keys above it that tell it from
others (`legacy.full_text`); `do` is rename, retype, drop, nest or null; `to` the new name (of rename) or the object
that it moves into (of nest). It strikes answers of `operation` (default: all) once the virtual clock shows `after`
seconds, in a seeded `share` (default 1) of the posts and users.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from zlib import crc32

import orjson

from xget_sandbox.errors import SandboxError

DEEDS = ("rename", "retype", "drop", "nest", "null")
KEYS = ("field", "do", "to", "operation", "after", "share")


@dataclass(frozen=True, slots=True)
class Drift:
    """One change of X's format."""

    field: str
    do: str
    to: str = ""
    operation: str = ""
    after: float = 0.0
    share: float = 1.0


class Drifts:
    """The drifts in force."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self.elapsed = elapsed
        self.active: list[Drift] = []
        self.struck = 0

    def set(self, drifts: object) -> None:
        """Replace all drifts. Raises SandboxError and changes nothing."""
        self.active = parse_drifts(drifts)
        self.struck = 0

    def told(self) -> dict[str, Any]:
        """The drifts and how many fields they have changed."""
        return {"drift": [asdict(drift) for drift in self.active], "struck": self.struck}

    def bend(self, operation: str, body: bytes) -> bytes:
        """An answer as X's new format has it."""
        now = self.elapsed()
        due = [one for one in self.active if one.operation in ("", operation) and now >= one.after]
        if not due:
            return body
        document = orjson.loads(body)
        for drift in due:
            self.struck += _walk(document, drift, (), "")
        return orjson.dumps(document)


def _walk(node: Any, drift: Drift, path: tuple[str, ...], owner: str) -> int:
    """How many fields under a node were changed; `owner` is the nearest record's number."""
    if isinstance(node, list):
        return sum(_walk(value, drift, path, owner) for value in node)
    if not isinstance(node, dict):
        return 0
    owner = str(node.get("rest_id") or owner)
    *above, name = drift.field.split(".")
    struck = 0
    for key in list(node):
        value = node[key]
        if key == name and list(path[len(path) - len(above) :]) == above and _lot(owner, drift):
            _change(node, key, drift)
            struck += 1
            continue
        struck += _walk(value, drift, (*path, key), owner)
    return struck


def _lot(owner: str, drift: Drift) -> bool:
    return crc32(f"{drift.field}:{owner}".encode()) % 10_000 < drift.share * 10_000


def _change(node: dict[str, Any], key: str, drift: Drift) -> None:
    value = node[key]
    if drift.do == "null":
        node[key] = None
    elif drift.do == "retype":
        node[key] = _retyped(value)
    else:
        del node[key]
        if drift.do == "rename":
            node[drift.to] = value
        elif drift.do == "nest":
            inner = node.setdefault(drift.to, {})
            if isinstance(inner, dict):
                inner[key] = value


def _retyped(value: Any) -> Any:
    """Something of another type that still means the same to a human."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,}"
    if isinstance(value, str):
        return {"text": value}
    return [value] if isinstance(value, dict) else {str(place): one for place, one in enumerate(value or [])}


def parse_drifts(drifts: object) -> list[Drift]:
    """Drifts from a list of objects. Raises SandboxError with key and rule."""
    if not isinstance(drifts, Sequence) or isinstance(drifts, str):
        raise SandboxError(f"drift: has to be a list of objects with {', '.join(KEYS)}.")
    return [_parsed(place, drift) for place, drift in enumerate(drifts)]


def _parsed(place: int, drift: object) -> Drift:
    where = f"drift[{place}]"
    if not isinstance(drift, Mapping) or set(drift) - set(KEYS):
        raise SandboxError(f"{where}: has to be an object with {', '.join(KEYS)}.")
    for name in ("field", "do", "to", "operation"):
        if not isinstance(drift.get(name, ""), str):
            raise SandboxError(f"{where}.{name}: has to be a text.")
    if not drift.get("field"):
        raise SandboxError(f"{where}.field: has to name a field, such as legacy.full_text.")
    if drift.get("do") not in DEEDS:
        raise SandboxError(f"{where}.do: has to be one of {', '.join(DEEDS)}.")
    if drift["do"] in ("rename", "nest") and not drift.get("to"):
        raise SandboxError(f"{where}.to: has to say the new name.")
    for name, most in (("after", 1e12), ("share", 1.0)):
        value = drift.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
            raise SandboxError(f"{where}.{name}: has to be a number from 0{' to 1' if name == 'share' else ''}.")
    return Drift(**drift)
