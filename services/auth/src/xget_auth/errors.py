"""What the auth service says no with."""

from __future__ import annotations

from xget_kernel.errors import Conflict, FieldError, Forbidden, Invalid, TooMany, Unauthenticated


class RegistrationClosed(Forbidden):
    code = "registration_closed"
    title = "Registration is closed"

    def __init__(self) -> None:
        super().__init__("Registration is closed here: ask the administrator to open it (XGET_REGISTRATION=open).")


class UsernameTaken(Conflict):
    code = "username_taken"
    title = "Username taken"

    def __init__(self, username: str) -> None:
        message = f"The username {username} is taken: choose another one."
        super().__init__(message, errors=[FieldError("username", "unique", message)])


class WeakPassword(Invalid):
    code = "weak_password"
    title = "Weak password"

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message, errors=[FieldError("password", rule, message)])


class TooManyIds(Invalid):
    code = "too_many_ids"
    title = "Too many ids"

    def __init__(self, most: int) -> None:
        message = f"Ask for {most} ids at most."
        super().__init__(message, errors=[FieldError("user_ids", "too_long", message)])


class BadCredentials(Unauthenticated):
    """The same for an unknown user and a wrong password."""

    code = "bad_credentials"
    title = "Wrong username or password"

    def __init__(self) -> None:
        super().__init__("Username or password is wrong.", headers={"WWW-Authenticate": 'Bearer realm="xget"'})


class TooManyAttempts(TooMany):
    code = "too_many_attempts"
    title = "Too many attempts"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many attempts to log in: try again in {retry_after} seconds.", retry_after=retry_after)


class BadRefreshToken(Unauthenticated):
    code = "bad_refresh_token"
    title = "Refresh token not accepted"

    def __init__(self, reason: str) -> None:
        detail = f"This refresh token is not accepted: {reason}. Log in again."
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="xget", error="invalid_token"'})


class RefreshTokenJustUsed(Conflict):
    """Two refreshes at once: one has won, and its tokens are good."""

    code = "refresh_token_just_used"
    title = "Refresh token just used"

    def __init__(self) -> None:
        super().__init__("Another request has just used this refresh token: go on with the tokens that it got.")
