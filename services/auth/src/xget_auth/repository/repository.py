"""The repositories of one transaction."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from xget_auth.repository.attempts import AttemptRepository
from xget_auth.repository.audit import AuditRepository
from xget_auth.repository.keys import KeyRepository
from xget_auth.repository.sessions import SessionRepository
from xget_auth.repository.users import UserRepository


class AuthRepository:
    """One per transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self.users = UserRepository(session)
        self.sessions = SessionRepository(session)
        self.keys = KeyRepository(session)
        self.attempts = AttemptRepository(session)
        self.audit = AuditRepository(session)
