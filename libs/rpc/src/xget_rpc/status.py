"""How XGet's errors travel over gRPC, and come back as the same errors."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from grpc import StatusCode

from xget_kernel import errors
from xget_kernel.errors import FieldError, XGetError

CODE_KEY: Final = "xget-code"
STATUS_KEY: Final = "xget-status"
TITLE_KEY: Final = "xget-title-bin"
ERRORS_KEY: Final = "xget-errors-bin"
LONGEST_DETAIL: Final = 1000
LONGEST_ERRORS: Final = 4000
"""Metadata is for a few kilobytes: of very many wrong fields the first ones travel."""

Metadata = tuple[tuple[str, str | bytes], ...]

_BY_STATUS: Final[Mapping[int, StatusCode]] = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    409: StatusCode.FAILED_PRECONDITION,
    412: StatusCode.FAILED_PRECONDITION,
    413: StatusCode.INVALID_ARGUMENT,
    422: StatusCode.INVALID_ARGUMENT,
    429: StatusCode.RESOURCE_EXHAUSTED,
    503: StatusCode.UNAVAILABLE,
    507: StatusCode.RESOURCE_EXHAUSTED,
}

# What a status means when no `xget-status` came along, so from gRPC itself.
_BY_CODE: Final[Mapping[StatusCode, int]] = {
    StatusCode.INVALID_ARGUMENT: 422,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.NOT_FOUND: 404,
    StatusCode.FAILED_PRECONDITION: 409,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.ABORTED: 409,
    StatusCode.RESOURCE_EXHAUSTED: 413,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DEADLINE_EXCEEDED: 503,
}


def to_status(error: XGetError) -> tuple[StatusCode, str, Metadata]:
    """Status code, detail and trailing metadata of an error; its headers travel in lower case."""
    code = _BY_STATUS.get(error.status, StatusCode.INTERNAL)
    own: Metadata = (
        (CODE_KEY, error.code),
        (STATUS_KEY, str(error.status)),
        (TITLE_KEY, error.title.encode()),
    )
    headers = tuple((name.lower(), _ascii(value)) for name, value in error.headers.items())
    fields: Metadata = ((ERRORS_KEY, _fields(error)),) if error.errors else ()
    return code, error.detail[:LONGEST_DETAIL], own + fields + headers


def _fields(error: XGetError) -> bytes:
    kept = list(error.errors)
    while len(encoded := msgspec.json.encode(kept)) > LONGEST_ERRORS:
        kept = kept[: len(kept) // 2]
    return encoded


def _ascii(value: str) -> str:
    return value.encode("ascii", "backslashreplace").decode().replace("\n", " ")


class RpcError(XGetError):
    """What a call to another service failed with; also an instance of the matching kernel error.

    `metadata` has the trailing metadata (lower-case names), with the headers of the error there.
    """

    metadata: Mapping[str, str]


class RpcUnavailable(RpcError, errors.Unavailable):
    """The service cannot be reached, or said that it cannot answer now (503)."""


class RpcDeadline(RpcUnavailable):
    """No answer within the deadline (503)."""

    code = "deadline_exceeded"


class RpcInternal(RpcError):
    """The other service failed (500)."""

    status = 500
    code = "upstream_failed"
    title = "Another service failed"


class RpcBadRequest(RpcError, errors.BadRequest):
    """400 there."""


class RpcUnauthenticated(RpcError, errors.Unauthenticated):
    """The internal token was refused (401)."""


class RpcForbidden(RpcError, errors.Forbidden):
    """403 there."""


class RpcNotFound(RpcError, errors.NotFound):
    """404 there."""


class RpcConflict(RpcError, errors.Conflict):
    """409 there."""


class RpcPreconditionFailed(RpcError, errors.PreconditionFailed):
    """412 there."""


class RpcTooLarge(RpcError, errors.TooLarge):
    """A message over the limit (413)."""


class RpcInvalid(RpcError, errors.Invalid):
    """422 there."""


class RpcTooMany(RpcError, errors.TooMany):
    """429 there; `retry_after` is its seconds."""


class RpcFull(RpcError, errors.Full):
    """507 there."""


_CLASSES: Final[Sequence[type[RpcError]]] = (
    RpcUnavailable,
    RpcBadRequest,
    RpcUnauthenticated,
    RpcForbidden,
    RpcNotFound,
    RpcConflict,
    RpcPreconditionFailed,
    RpcTooLarge,
    RpcInvalid,
    RpcTooMany,
    RpcFull,
)
_BY_NUMBER: Final = {cls.status: cls for cls in _CLASSES}


def from_status(code: StatusCode, detail: str, metadata: Mapping[str, str]) -> RpcError:
    """The error for a failed call; the same class family, code, title, fields and headers as where it was raised."""
    number = _number(metadata.get(STATUS_KEY)) or _BY_CODE.get(code, 500)
    error = _make(
        RpcDeadline if _is_deadline(code, metadata) else _BY_NUMBER.get(number, RpcInternal), detail, metadata
    )
    error.metadata = dict(metadata)
    error.errors = tuple(msgspec.json.decode(metadata.get(ERRORS_KEY, "[]"), type=list[FieldError]))
    if CODE_KEY in metadata:
        # Codes belong to classes; this instance speaks for a class that only the other service has.
        vars(error).update(code=metadata[CODE_KEY], title=metadata.get(TITLE_KEY, error.title), status=number)
    return error


def _make(cls: type[RpcError], detail: str, metadata: Mapping[str, str]) -> RpcError:
    if issubclass(cls, RpcTooMany):
        return cls(detail, retry_after=_number(metadata.get("retry-after")) or 1)
    return cls(detail)


def _is_deadline(code: StatusCode, metadata: Mapping[str, str]) -> bool:
    return code is StatusCode.DEADLINE_EXCEEDED and STATUS_KEY not in metadata


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
