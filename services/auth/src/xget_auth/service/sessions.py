"""Logins and what follows from them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from xget_auth.errors import BadCredentials, BadRefreshToken, RefreshTokenJustUsed, TooManyAttempts
from xget_auth.models import RefreshToken, Session, User
from xget_auth.ports import Passwords
from xget_auth.repository import AuthRepository
from xget_auth.schemas import TokenPair
from xget_auth.service.audit import LOGGED_IN, LOGGED_OUT, LOGIN_FAILED, LOGIN_THROTTLED, REFRESH_REUSED, entry
from xget_auth.service.keys import ACCESS_LIFE, KeyService
from xget_auth.service.throttle import Throttle
from xget_auth.service.work import Work
from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_kernel.ids import new_id
from xget_kernel.secrets import NotPickled

RACE = timedelta(seconds=5)
"""So long after its use a refresh token that comes again is two requests at once, and not a thief."""
KEEP_ENDED = timedelta(days=7)


@dataclass(frozen=True)
class Login(NotPickled):
    """What a person typed, and from where."""

    username: str
    password: str = field(repr=False)
    address: str


class SessionService:
    """Access tokens of 15 minutes, refresh tokens that are used once."""

    def __init__(
        self, work: Work, passwords: Passwords, keys: KeyService, clock: Clock, *, refresh_life: timedelta
    ) -> None:
        self._work = work
        self._passwords = passwords
        self._keys = keys
        self._clock = clock
        self._refresh_life = refresh_life

    async def login(self, login: Login) -> TokenPair:
        """Raises BadCredentials (401), the same and as slow for unknown users; TooManyAttempts (429)."""
        user = await self._admit(login)
        matches, better = await self._passwords.verify(login.password, user.password_hash if user else None)
        now = self._clock.now()
        async with self._work() as repository:
            if user is None or not matches:
                repository.audit.add(entry(LOGIN_FAILED, user.id if user else None, login.address, now))
                pair = None
            else:
                await Throttle(repository.attempts).succeed(login.username, login.address)
                pair = await self._begin(repository, user.id, better, login.address, now)
        if pair is None:
            raise BadCredentials
        return pair

    async def refresh(self, refresh_token: str, address: str) -> TokenPair:
        """The next pair. Raises BadRefreshToken (401); RefreshTokenJustUsed (409) for the loser of two at once.

        A token that was used before revokes its whole session: somebody else may have it.
        """
        now = self._clock.now()
        async with self._work() as repository:
            outcome = await self._exchange(repository, refresh_token, address, now)
        if isinstance(outcome, XGetError):
            raise outcome
        return outcome

    async def logout(self, refresh_token: str, address: str) -> None:
        """End the session of a refresh token; nothing for one that is unknown."""
        now = self._clock.now()
        async with self._work() as repository:
            token = await repository.sessions.token(_hash(refresh_token))
            session = await repository.sessions.get(token.session_id) if token else None
            if session is not None and session.revoked_at is None:
                session.revoked_at = now
                repository.audit.add(entry(LOGGED_OUT, session.user_id, address, now))

    async def _admit(self, login: Login) -> User | None:
        now = self._clock.now()
        async with self._work() as repository:
            throttle = Throttle(repository.attempts)
            await throttle.forget(now)
            wait = await throttle.begin(login.username, login.address, now)
            user = await repository.users.by_name(login.username)
            if wait is not None:
                repository.audit.add(entry(LOGIN_THROTTLED, user.id if user else None, login.address, now))
        if wait is not None:
            raise TooManyAttempts(wait)
        return user

    async def _begin(
        self, repository: AuthRepository, user_id: str, better_hash: str | None, address: str, now: datetime
    ) -> TokenPair | None:
        user = await repository.users.get(user_id)
        if user is None:
            return None
        user.password_hash = better_hash or user.password_hash
        await repository.sessions.forget_ended(now - KEEP_ENDED)
        session = Session(id=new_id(), user_id=user.id, created_at=now, expires_at=now, revoked_at=None)
        repository.sessions.add(session)
        await repository.sessions.flush()
        repository.audit.add(entry(LOGGED_IN, user.id, address, now))
        return await self._issue(repository, session, user, now)

    async def _exchange(
        self, repository: AuthRepository, refresh_token: str, address: str, now: datetime
    ) -> TokenPair | XGetError:
        token = await repository.sessions.token(_hash(refresh_token))
        session = await repository.sessions.get(token.session_id) if token else None
        user = await repository.users.get(session.user_id) if session else None
        if token is None or session is None or user is None:
            return BadRefreshToken("it is unknown")
        if session.revoked_at is not None:
            return BadRefreshToken("its session has ended")
        if token.used_at is not None and now - token.used_at <= RACE:
            return RefreshTokenJustUsed()
        if token.used_at is not None:
            session.revoked_at = now
            repository.audit.add(entry(REFRESH_REUSED, session.user_id, address, now))
            return BadRefreshToken("it was used before, and its session is ended for safety")
        if token.expires_at <= now:
            return BadRefreshToken("it has expired")
        token.used_at = now
        return await self._issue(repository, session, user, now)

    async def _issue(self, repository: AuthRepository, session: Session, user: User, now: datetime) -> TokenPair:
        refresh_token = f"xr_{secrets.token_urlsafe(32)}"
        ends = session.expires_at = now + self._refresh_life
        repository.sessions.add(
            RefreshToken(token_hash=_hash(refresh_token), session_id=session.id, expires_at=ends, used_at=None)
        )
        claims = {"sub": user.id, "name": user.username, "roles": user.roles, "sid": session.id}
        return TokenPair(
            access_token=await self._keys.sign(repository, claims, now),
            expires_in=int(ACCESS_LIFE.total_seconds()),
            refresh_token=refresh_token,
            refresh_expires_in=int(self._refresh_life.total_seconds()),
        )


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
