"""Users by name: people know names, the services know ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from xget_cli.client import Client
from xget_cli.errors import CliError

_PATH: Final = "/api/v1/auth/users"
_MOST: Final = 100


def found_id(client: Client, who: str) -> str | None:
    """The id of the user with this id, else with this name; None when there is none."""
    found = client.get(_PATH, id=who, username=who)["items"]
    # A name may look like another's id: an id is only ever its own user's.
    exact = [user["id"] for user in found if user["id"] == who]
    return next(iter(exact or [user["id"] for user in found]), None)


def user_id(client: Client, who: str) -> str:
    """The id of a user by name or id. Raises CliError."""
    found = found_id(client, who)
    if found is None:
        raise CliError(f"There is no user {who!r} here: `xget whoami` tells users their name and id.")
    return found


def names(client: Client, ids: Iterable[str | None]) -> dict[str, str]:
    """Names of users by id; empty where the auth service does not answer, which no table should wait for."""
    wanted, found = sorted({one for one in ids if one}), dict[str, str]()
    try:
        for start in range(0, len(wanted), _MOST):
            users = client.get(_PATH, id=wanted[start : start + _MOST])["items"]
            found |= {user["id"]: user["username"] for user in users}
    except CliError:
        return {}
    return found
