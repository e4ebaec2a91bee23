"""Errors are sentences with a status. Declared once by who owns them, rendered once at the edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field of a request."""

    field: str
    """Path of the field, `parameters.limit`."""
    rule: str
    """Machine-readable name of the rule that was broken, `maximum`."""
    message: str
    """A sentence for people."""


class XGetError(Exception):
    """Anything XGet says no with. Subclasses set status, code and title; the detail says what to do about it."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self, detail: str, *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class BadRequest(XGetError):
    status = 400
    code = "bad_request"
    title = "Bad request"


class Unauthenticated(XGetError):
    status = 401
    code = "unauthenticated"
    title = "Not signed in"


class Forbidden(XGetError):
    status = 403
    code = "forbidden"
    title = "Not allowed"


class NotFound(XGetError):
    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(XGetError):
    status = 409
    code = "conflict"
    title = "Conflict"


class PreconditionFailed(XGetError):
    status = 412
    code = "precondition_failed"
    title = "Precondition failed"


class TooLarge(XGetError):
    status = 413
    code = "too_large"
    title = "Too large"


class Invalid(XGetError):
    status = 422
    code = "invalid"
    title = "Invalid request"


class TooMany(XGetError):
    """Come back after `retry_after` seconds; the header `Retry-After` says so too."""

    status = 429
    code = "too_many"
    title = "Too many requests"

    def __init__(
        self,
        detail: str,
        *,
        retry_after: int = 1,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, errors=errors, headers={"Retry-After": str(retry_after), **(headers or {})})
        self.retry_after = retry_after


class Unavailable(XGetError):
    """Something outside is away for now: the same call may work later."""

    status = 503
    code = "unavailable"
    title = "Unavailable"


class Full(XGetError):
    """There is no room (or no right) to write. What was acknowledged before is safe."""

    status = 507
    code = "storage_full"
    title = "No room to write"


class StartupError(Exception):
    """A process cannot start. The text is one sentence with the fix; the CLI prints it and exits 2."""
