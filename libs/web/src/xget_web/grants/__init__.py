"""Owners let others use what is theirs, over HTTP."""

from xget_web.grants.desk import GrantDesk, Opened, Unknown
from xget_web.grants.errors import BadGrant, GrantExists, GrantNotFound, UnknownUser, UsersUnavailable
from xget_web.grants.router import grants_router
from xget_web.grants.schemas import GrantCreate, GrantRead

__all__ = [
    "BadGrant",
    "GrantCreate",
    "GrantDesk",
    "GrantExists",
    "GrantNotFound",
    "GrantRead",
    "Opened",
    "Unknown",
    "UnknownUser",
    "UsersUnavailable",
    "grants_router",
]
