"""Turns what pydantic says about a request into field errors a person can act on."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

from xget_kernel.errors import FieldError, XGetError
from xget_web.errors import InvalidRequest, MalformedBody, WrongContentType

MAX_ERRORS = 50
SOURCES = frozenset({"body", "query", "path", "header", "cookie"})
UNREAD_BODY_RULES = frozenset({"model_attributes_type", "dict_type", "list_type", "dataclass_type", "model_type"})


def to_error(failed: RequestValidationError) -> XGetError:
    """400 for JSON that does not parse, 415 for an unread body, otherwise 422 with every field named."""
    found = failed.errors()
    if any(e["type"] == "json_invalid" for e in found):
        return MalformedBody("The body is not valid JSON.", errors=[_field_error(e) for e in found[:1]])
    if isinstance(failed.body, bytes) and any(_is_unread_body(e) for e in found):
        return WrongContentType("The body must be JSON: send it with the header Content-Type: application/json.")
    # A dependency that two others share is read twice when it fails; each fault is told once.
    listed = list(dict.fromkeys(_field_error(e) for e in found[:MAX_ERRORS]))
    return InvalidRequest(_sentence(listed), errors=listed)


def _is_unread_body(error: Mapping[str, Any]) -> bool:
    return tuple(error["loc"]) == ("body",) and error["type"] in UNREAD_BODY_RULES


def _field_error(error: Mapping[str, Any]) -> FieldError:
    return FieldError(field=_field(error["loc"]), rule=str(error["type"])[:64], message=_message(error))


def _field(location: Sequence[str | int]) -> str:
    parts = [str(p) for p in location]
    if parts and parts[0] in SOURCES:
        parts = parts[1:]
    return ".".join(parts)[:200]


def _message(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return f"Not valid JSON near character {error['loc'][-1]}."
    text = str(error["msg"]).removeprefix("Value error, ")
    return text if text.endswith(".") else text + "."


def _sentence(listed: Sequence[FieldError]) -> str:
    first = listed[0]
    where = f"Field {first.field}: " if first.field else ""
    more = f" (and {len(listed) - 1} more)" if len(listed) > 1 else ""
    return f"{where}{first.message}{more}"
