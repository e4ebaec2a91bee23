"""What grants are refused with."""

from __future__ import annotations

from xget_kernel.errors import Conflict, FieldError, Invalid, NotFound


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
