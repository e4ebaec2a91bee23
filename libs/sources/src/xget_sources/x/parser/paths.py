"""Where in a payload a record is, for the few that are rejected."""

from __future__ import annotations

from typing import Any


def path_of(payload: Any, record: Any) -> str:
    """Path of an object of the payload as `data.a.b[3].c`; `$` when it is the payload itself or not in it."""
    stack: list[tuple[Any, str]] = [(payload, "")]
    while stack:
        node, path = stack.pop()
        if node is record:
            return path or "$"
        if type(node) is dict:
            stack += [(value, f"{path}.{key}" if path else str(key)) for key, value in node.items()]
        elif type(node) is list:
            stack += [(value, f"{path}[{index}]") for index, value in enumerate(node)]
    return "$"
