"""PostgreSQL's errors by their SQLSTATE."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError

from xget_kernel.errors import Full, Unavailable, XGetError

READ_ONLY: Final = "25006"
_NOTHING_LOST: Final = "What was acknowledged before is safe."
_FULL: Final = {
    "53100": "The disk of PostgreSQL is full, so nothing more can be stored: free some space.",
    "58030": "The disk of PostgreSQL reports an I/O error: check it and its free space.",
}
_AWAY: Final = {
    READ_ONLY: "PostgreSQL takes no writes now (a standby, or a server in maintenance)",
    "25P03": "PostgreSQL ended a transaction that stood still for too long",
    "25P04": "PostgreSQL ended a transaction that took too long",
    "40001": "Another change came in between",
    "40P01": "Another change came in between",
    "53200": "PostgreSQL has no memory left for this",
    "53300": "PostgreSQL has no connection free",
    "55P03": "Another change holds what this one needs",
    "57014": "PostgreSQL took too long",
    "57P01": "PostgreSQL is shutting down",
    "57P02": "PostgreSQL has crashed and starts again",
    "57P03": "PostgreSQL is starting up",
    "57P04": "The database of PostgreSQL was dropped",
    "57P05": "PostgreSQL ended an idle connection",
}
_CONNECTION_CLASS: Final = "08"


def away(what: str) -> Unavailable:
    """Unavailable (503) with `Retry-After`. `what` is the first half of a sentence."""
    return Unavailable(f"{what}: try again in a moment.", headers={"Retry-After": "1"})


def translate(error: BaseException) -> XGetError | None:
    """The kernel error for an error of the driver, bare or wrapped by SQLAlchemy; None for another kind."""
    state = sqlstate(error)
    if state in _FULL:
        return Full(f"{_FULL[state]} {_NOTHING_LOST}")
    if state in _AWAY:
        return away(_AWAY[state])
    if state.startswith(_CONNECTION_CLASS) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return away("The connection to PostgreSQL was lost")
    return None


def is_read_only(error: Exception) -> bool:
    """Whether it says that the transaction may not write."""
    return sqlstate(error) == READ_ONLY


def sqlstate(error: BaseException | None) -> str:
    """The five characters that PostgreSQL gives an error, empty for other errors."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    return state if isinstance(state, str) else ""


def explain(error: BaseException) -> XGetError | None:
    """The kernel error for a connection that could not be made; None for a mistake of the code."""
    if isinstance(error, XGetError):
        return error
    if isinstance(error, OSError):  # TimeoutError and failed look-ups among them
        return away("PostgreSQL does not answer")
    state = sqlstate(error)
    if state.startswith("28"):
        return away("PostgreSQL refuses the user or the password")
    return away("The database of PostgreSQL is not there") if state == "3D000" else translate(error)
