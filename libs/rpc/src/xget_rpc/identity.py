"""Who calls: the internal token of services, and the caller on whose behalf they call."""

import hmac
from collections.abc import Iterable
from typing import Final

from xget_kernel.caller import Caller
from xget_kernel.secrets import Secret

TOKEN_KEY: Final = "x-internal-token"  # noqa: S105 -- a name
USER_KEY: Final = "x-xget-user-bin"
ROLES_KEY: Final = "x-xget-roles"

Pairs = tuple[tuple[str, str | bytes], ...]


def caller_metadata(caller: Caller) -> Pairs:
    """`metadata=` of a call that is made for a user."""
    return ((USER_KEY, caller.user_id.encode()), (ROLES_KEY, ",".join(sorted(caller.roles))))


def caller_of(metadata: Iterable[tuple[str, str | bytes]] | None) -> Caller | None:
    """The user a call is made for, from `context.invocation_metadata()`; None when a service calls for itself."""
    found = dict(metadata or ())
    user, roles = found.get(USER_KEY), found.get(ROLES_KEY, "")
    if not isinstance(user, bytes) or not isinstance(roles, str):
        return None
    return Caller(user_id=user.decode(), roles=frozenset(filter(None, roles.split(","))), via="internal")


def is_internal(metadata: Iterable[tuple[str, str | bytes]] | None, token: Secret) -> bool:
    """Whether a call carries the internal token."""
    given = dict(metadata or ()).get(TOKEN_KEY, "")
    raw = given if isinstance(given, bytes) else given.encode()
    return hmac.compare_digest(raw, token.reveal().encode())
