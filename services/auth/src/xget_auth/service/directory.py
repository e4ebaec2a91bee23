"""Who is a user here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from xget_auth.schemas import UserName
from xget_auth.service.work import Work
from xget_kernel.caller import LOCAL_ADMIN

MOST_IDS: Final = 100
"""That are asked for at once."""


class DirectoryService:
    """Finds users whose id or name somebody knows already; it lists nobody else."""

    def __init__(self, reading: Work, *, open_mode: bool) -> None:
        self._reading = reading
        self._open_mode = open_mode

    async def find(self, user_ids: Collection[str], usernames: Collection[str] = ()) -> list[UserName]:
        """Users with one of these ids or names (whatever their case); the administrator of open mode is one."""
        async with self._reading() as repository:
            found = [UserName.of(user) for user in await repository.users.listed(user_ids, usernames)]
        local = LOCAL_ADMIN.user_id
        if self._open_mode and local in {*user_ids, *(name.lower() for name in usernames)}:
            found.append(UserName(id=local, username=local))
        return found
