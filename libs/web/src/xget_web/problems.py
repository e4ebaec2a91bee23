"""application/problem+json: one shape for every error, and its place in OpenAPI."""

from collections.abc import Mapping, Sequence
from http.client import responses
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response

from xget_kernel.errors import FieldError, XGetError

MEDIA_TYPE = "application/problem+json"
PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}

TYPE_PREFIX = "urn:xget:error:"


class ProblemField(BaseModel):
    """One part of the request that was refused."""

    field: Annotated[str, Field(description="Dotted path of the field; empty for the whole body.")]
    rule: Annotated[str, Field(description="Name of the rule that it broke.")]
    message: str


class Problem(BaseModel):
    """The body of every error (RFC 9457)."""

    type: Annotated[str, Field(description="urn:xget:error:<code>")]
    title: str
    status: int
    detail: str
    instance: Annotated[str, Field(description="Path of the request.")]
    errors: list[ProblemField]


def render(error: XGetError, instance: str) -> Response:
    """The response for an error; `instance` is the path that was asked for."""
    fields = [{"field": e.field, "rule": e.rule, "message": e.message} for e in error.errors]
    body = _body(error.status, error.code, error.title, error.detail, instance) | {"errors": fields}
    return Response(encode(body), status_code=error.status, headers=error.headers, media_type=MEDIA_TYPE)


def render_status(status: int, instance: str, headers: Mapping[str, str] | None = None) -> Response:
    """The response for a status that the framework chose by itself."""
    title = responses.get(status, "Error")
    body = _body(status, f"http_{status}", title, f"{title}.", instance)
    return Response(encode(body), status_code=status, headers=headers, media_type=MEDIA_TYPE)


def _body(status: int, code: str, title: str, detail: str, instance: str) -> dict[str, Any]:
    return {
        "type": TYPE_PREFIX + code,
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "errors": [],
    }


def encode(body: Mapping[str, Any]) -> bytes:
    """JSON bytes; text that UTF-8 cannot hold is shown escaped and does not fail the answer."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return orjson.dumps(_printable(body))


def _printable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {str(_printable(k)): _printable(v) for k, v in value.items()}
    if isinstance(value, Sequence):
        return [_printable(v) for v in value]
    return value


def errors(*classes: type[XGetError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that may raise these errors; classes of one status share an entry."""
    found: dict[int | str, dict[str, Any]] = {}
    for cls in classes:
        entry = found.setdefault(cls.status, response(cls.title))
        if cls.title not in entry["description"].split("; "):
            entry["description"] += "; " + cls.title
    return found


def response(description: str) -> dict[str, Any]:
    """One OpenAPI response object with the problem schema."""
    return {"description": description, "content": {MEDIA_TYPE: {"schema": dict(PROBLEM_REF)}}}


def field_error(field: str, rule: str, message: str) -> FieldError:
    """Shorthand for one FieldError."""
    return FieldError(field=field, rule=rule, message=message)
