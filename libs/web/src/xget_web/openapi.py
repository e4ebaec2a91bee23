"""Completes FastAPI's OpenAPI document with every status that can really occur."""

from typing import Any

from xget_web.problems import MEDIA_TYPE, Problem, ProblemField, response

METHODS = frozenset({"get", "put", "post", "delete", "patch"})
WRITING = METHODS - {"get"}
FASTAPI_ONLY = ("HTTPValidationError", "ValidationError")


def complete(document: dict[str, Any], *, open_mode: bool) -> dict[str, Any]:
    """Add problem answers to every operation, and the Problem schema. Changes and returns `document`."""
    for path, operations in document.get("paths", {}).items():
        for method, operation in operations.items():
            if method in METHODS:
                _complete_operation(path, method, operation, open_mode)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in FASTAPI_ONLY:
        schemas.pop(name, None)
    schemas["ProblemField"] = ProblemField.model_json_schema()
    schemas["Problem"] = _problem_schema()
    return document


def _complete_operation(path: str, method: str, operation: dict[str, Any], open_mode: bool) -> None:
    found = operation.setdefault("responses", {})
    for status, description in _statuses(path, method, operation, open_mode).items():
        entry = found.get(status)
        if entry is None or MEDIA_TYPE not in entry.get("content", {}):
            found[status] = response(description)
    if open_mode and operation.get("security"):
        operation["security"] = [{}, *operation["security"]]


def _statuses(path: str, method: str, operation: dict[str, Any], open_mode: bool) -> dict[str, str]:
    has_body = "requestBody" in operation
    found = {"500": "Internal error", "503": "Unavailable for now"}
    if has_body:
        found |= {"400": "Malformed body", "413": "Body too large", "415": "Wrong content type"}
    if has_body or operation.get("parameters"):
        found["422"] = "Invalid request"
    names = {p.get("name") for p in operation.get("parameters", ())}
    if "If-Match" in names:
        found["412"] = "Changed in the meantime"
    if "Idempotency-Key" in names:
        found["409"] = "Idempotency key in use"
    if "{" in path:
        found["404"] = "Not found"
    if operation.get("security"):
        found |= {"401": "Not signed in", "403": "Not allowed"}
    if open_mode:
        found["403"] = "Not allowed"
    if method in WRITING:
        found["507"] = "No room to write"
    return found


def _problem_schema() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return schema
