"""Joins the services' OpenAPI documents into one that a client can be generated from."""

from __future__ import annotations

from typing import Any

COMMON = ("Problem", "FieldProblem", "HTTPValidationError", "ValidationError")


def join(documents: dict[str, dict[str, Any]], version: str) -> dict[str, Any]:
    """One OpenAPI 3.1 document of all paths under /api and /.well-known.

    `documents` maps service to its own document. Schemas get the service's name in front, except those that are the
    same everywhere, so that equal names of two services do not collide.
    """
    joined: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "XGet", "version": version, "description": "All services behind the gateway."},
        "paths": {},
        "components": {"schemas": {}, "securitySchemes": {}},
        "tags": [],
    }
    for service, document in sorted(documents.items()):
        paths = _point(document.get("paths", {}), service)
        joined["paths"].update({p: v for p, v in paths.items() if p.startswith(("/api/", "/.well-known/"))})
        components = document.get("components", {})
        schemas = {_own(name, service): _point(body, service) for name, body in components.get("schemas", {}).items()}
        joined["components"]["schemas"].update(schemas)
        joined["components"]["securitySchemes"].update(components.get("securitySchemes", {}))
        joined["tags"] += [tag for tag in document.get("tags", []) if tag not in joined["tags"]]
    return joined


def _point(node: Any, service: str) -> Any:
    """The same node with its references pointing at the renamed schemas."""
    prefix = "#/components/schemas/"
    if isinstance(node, dict):
        return {key: _point(value, service) for key, value in node.items()}
    if isinstance(node, list):
        return [_point(value, service) for value in node]
    if isinstance(node, str) and node.startswith(prefix):
        return prefix + _own(node.removeprefix(prefix), service)
    return node


def _own(name: str, service: str) -> str:
    return name if name in COMMON else f"{service}_{name}"
