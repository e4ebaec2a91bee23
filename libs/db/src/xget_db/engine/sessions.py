"""Makers of sessions."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, sessionmaker


def sessions_of(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions of a class of their own, so that listening to one database does not mean listening to all."""
    sync: type[Session] = sessionmaker().class_
    return async_sessionmaker(engine, expire_on_commit=False, sync_session_class=sync)
