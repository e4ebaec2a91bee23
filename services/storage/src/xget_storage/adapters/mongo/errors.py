"""What the driver raises, as XGet says it. No text of the server is passed on: it may quote documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    InvalidURI,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from xget_kernel.errors import Full, StartupError, TooLarge, Unavailable, XGetError

DUPLICATE: Final = 11000
UNAUTHORIZED: Final = frozenset({13, 18})
"""Unauthorized, AuthenticationFailed."""
INDEX_CONFLICTS: Final = frozenset({85, 86})
NAMESPACE_EXISTS: Final = 48
_NO_ROOM: Final = frozenset({8000, 14031, 12501})
"""Atlas' quota, OutOfDiskSpace, quota exceeded."""
_TOO_LARGE: Final = frozenset({10334, 17280, 17420})
"""BSONObjectTooLarge, KeyTooLong, document to insert is too large."""
_AFTER: Final = {"Retry-After": "5"}


def unavailable(why: str) -> Unavailable:
    """MongoDB cannot be used for now."""
    return Unavailable(f"MongoDB {why}: try again soon.", headers=_AFTER)


@contextmanager
def answering() -> Iterator[None]:
    """Turn errors of the driver inside into Unavailable (503), Full (507) and TooLarge (413)."""
    try:
        yield
    except PyMongoError as error:
        raise translated(error) from error


def translated(error: PyMongoError) -> XGetError:
    """What an error of the driver is for callers."""
    match error:
        case NetworkTimeout() | ServerSelectionTimeoutError() | ConnectionFailure():
            return unavailable("does not answer")
        case DocumentTooLarge():
            return _too_large()
        case BulkWriteError(details=dict(details)):
            return _of_bulk(details)
        case WTimeoutError():
            return unavailable("did not confirm a write in time")
        case OperationFailure(code=int(code)):
            return of_code(code, str((error.details or {}).get("codeName", "")))
    return unavailable(f"could not do it ({type(error).__name__})")


def of_code(code: int, name: str = "") -> XGetError:
    """The error for a server's error code."""
    if code in _NO_ROOM:
        return Full("MongoDB has no room left: free some, what was acknowledged is safe.")
    if code in _TOO_LARGE:
        return _too_large()
    if code in UNAUTHORIZED:
        return unavailable("refuses this user: give the user of MONGODB_URL the role readWrite on its database")
    return unavailable(f"could not do it (code {code}{' ' if name else ''}{name})")


def _too_large() -> TooLarge:
    return TooLarge("A document is larger than the 16 MB that MongoDB takes.")


def _of_bulk(details: Mapping[str, Any]) -> XGetError:
    codes = [int(one.get("code", 0)) for key in ("writeErrors", "writeConcernErrors") for one in details.get(key, ())]
    for code in codes:
        if code in _NO_ROOM or code in _TOO_LARGE:
            return of_code(code)
    return of_code(codes[0] if codes else 0)


def refused_at_start(error: PyMongoError, address: str) -> StartupError:
    """Why a server cannot be used, with the fix; `address` is masked."""
    match error:
        case InvalidURI() | ConfigurationError():
            return StartupError(
                "MONGODB_URL is no URL of MongoDB: write it like mongodb://user:password@host:27017/xget."
            )
        case OperationFailure(code=18):
            return StartupError(f"MongoDB at {address} refuses the login: correct user and password in MONGODB_URL.")
        case OperationFailure(code=13):
            return StartupError(
                f"MongoDB at {address} gives the user of MONGODB_URL no right to this: grant the roles readWrite and "
                "dbAdmin on the database."
            )
        case ConnectionFailure():
            return StartupError(f"MongoDB at {address} does not answer: start it, or correct MONGODB_URL.")
    code = f" (code {error.code})" if isinstance(error, OperationFailure) else ""
    return StartupError(
        f"MongoDB at {address} cannot be used ({type(error).__name__}{code}): see its log, or correct MONGODB_URL."
    )
