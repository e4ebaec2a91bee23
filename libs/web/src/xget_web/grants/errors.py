"""What grants are refused with."""

from __future__ import annotations

from xget_kernel.errors import Conflict, FieldError, Invalid, NotFound, Unavailable


class GrantNotFound(NotFound):
    """Missing, or between others: the sentence is the same for both."""

    code = "grant_not_found"
    title = "No such grant"

    def __init__(self) -> None:
        super().__init__("There is no such grant: list yours with GET on the same path.")


class GrantExists(Conflict):
    code = "grant_exists"
    title = "Granted already"

    def __init__(self) -> None:
        super().__init__("The same is granted already: revoke that first to change when it ends.")


class BadGrant(Invalid):
    code = "bad_grant"
    title = "Bad grant"

    def __init__(self, field: str, rule: str, sentence: str) -> None:
        super().__init__(sentence, errors=[FieldError(field, rule, sentence)])


class UnknownUser(BadGrant):
    code = "unknown_user"
    title = "Unknown user"

    def __init__(self, field: str) -> None:
        super().__init__(field, "exists", "There is no user with this id: GET /api/v1/auth/users?username= tells ids.")


class UsersUnavailable(Unavailable):
    code = "users_unavailable"
    title = "Auth service unavailable"

    def __init__(self) -> None:
        super().__init__("The auth service does not answer, so nobody knows whether this user exists: try again soon.")
