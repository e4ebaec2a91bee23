"""Errors that the HTTP edge itself answers with."""

from starlette.exceptions import HTTPException

from xget_kernel.errors import BadRequest, Conflict, Forbidden, Invalid, TooLarge, XGetError


class MalformedBody(BadRequest):
    """The body is not what its content type says."""

    code = "malformed_body"
    title = "Malformed body"


class BodyTooLarge(TooLarge):
    """The body is over the limit."""

    code = "body_too_large"
    title = "Body too large"


class WrongContentType(XGetError):
    """The body has a content type that the operation does not read."""

    status = 415
    code = "wrong_content_type"
    title = "Wrong content type"


class PathNotFound(XGetError):
    """No operation has this path."""

    status = 404
    code = "path_not_found"
    title = "No such path"


class MethodNotAllowed(XGetError):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"


class InvalidRequest(Invalid):
    """Body or parameters break the schema; `errors` says where."""

    code = "invalid_request"
    title = "Invalid request"


class ForeignHost(Forbidden):
    """Open mode answers only to loopback names (DNS rebinding)."""

    code = "foreign_host"
    title = "Host or origin not allowed"


class InternalError(XGetError):
    """Something failed that nobody foresaw; the log has it under the request id."""

    status = 500
    code = "internal_error"
    title = "Internal error"


class NotReady(XGetError):
    """The service cannot do its job now."""

    status = 503
    code = "not_ready"
    title = "Not ready"


class KeyReused(Invalid):
    """An Idempotency-Key came again with another body."""

    code = "idempotency_key_reused"
    title = "Idempotency key reused"


class KeyInUse(Conflict):
    """The first request with this Idempotency-Key is still running."""

    code = "idempotency_key_in_use"
    title = "Idempotency key in use"


class BodyRefused(HTTPException):
    """Carries an error out of the reading of a body; FastAPI lets only HTTPException pass there."""

    def __init__(self, error: XGetError) -> None:
        super().__init__(error.status, str(error))
        self.error = error
