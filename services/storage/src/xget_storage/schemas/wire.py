"""Answers that msgspec writes, and their OpenAPI schemas."""

from __future__ import annotations

from typing import Any

import msgspec


def answers(kind: Any, status: int = 200, description: str = "Successful Response") -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route that answers with this struct."""
    content = {"application/json": {"schema": wire_schema(kind)}}
    return {status: {"description": description, "content": content}}


def wire_schema(kind: Any) -> dict[str, Any]:
    """JSON Schema of a struct with everything it refers to written out in place."""
    schema = msgspec.json.schema(kind)
    definitions = schema.pop("$defs", {})
    inlined: dict[str, Any] = _inlined(schema, definitions)
    return inlined


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(part, definitions) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(value, definitions) for name, value in node.items()}
