"""New users."""

from __future__ import annotations

from xget_auth.errors import RegistrationClosed, UsernameTaken, WeakPassword
from xget_auth.models import User
from xget_auth.ports import Passwords
from xget_auth.repository import AuthRepository
from xget_auth.schemas import RegisterRequest
from xget_auth.service.audit import REGISTERED, entry
from xget_auth.service.work import Work
from xget_kernel.caller import ADMIN
from xget_kernel.clock import Clock
from xget_kernel.ids import new_id

ANALYST = "analyst"
FEWEST_CHARACTERS = 4


class RegistrationService:
    """The first user is the administrator and may always register; whether others may is a setting."""

    def __init__(self, work: Work, passwords: Passwords, clock: Clock, *, is_open: bool) -> None:
        self._work = work
        self._passwords = passwords
        self._clock = clock
        self._is_open = is_open

    async def register(self, request: RegisterRequest, address: str) -> User:
        """Raises RegistrationClosed (403), UsernameTaken (409), WeakPassword (422)."""
        check_password(request.username, request.password)
        async with self._work() as repository:
            await self._role(repository, request.username)
        hashed = await self._passwords.hash(request.password)
        now = self._clock.now()
        async with self._work() as repository:
            await repository.users.in_turn()  # asked again where it counts
            role = await self._role(repository, request.username)
            user = User(
                id=new_id(),
                username=request.username,
                username_key=request.username.lower(),
                email=request.email,
                password_hash=hashed,
                roles=[role],
                created_at=now,
            )
            repository.users.add(user)
            repository.audit.add(entry(REGISTERED, user.id, address, now))
        return user

    async def _role(self, repository: AuthRepository, username: str) -> str:
        if not await repository.users.any():
            return ADMIN
        if not self._is_open:
            raise RegistrationClosed
        if await repository.users.by_name(username) is not None:
            raise UsernameTaken(username)
        return ANALYST


def check_password(username: str, password: str) -> None:
    """Raises WeakPassword (422); the length is the schema's."""
    if password.lower() == username.lower():
        raise WeakPassword("not_username", "The password must not be the username: choose another one.")
    if len(set(password)) < FEWEST_CHARACTERS:
        raise WeakPassword("too_few_characters", f"The password needs {FEWEST_CHARACTERS} different characters.")
