"""Tables of the auth service."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from xget_db.base import new_metadata
from xget_db.data_keys import data_keys_table
from xget_db.sealed import Sealed
from xget_db.types import JsonDict, JsonList, UtcDateTime

SEALED = (Sealed("signing_keys", ("private_jwk",)),)
"""Every table and column that holds a ciphertext: `xget keys` walks them."""


class Base(DeclarativeBase):
    """Registry of this service's tables."""

    metadata = new_metadata()


class User(Base):
    """Who may log in."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(String(64), unique=True)
    """The username without regard to case."""
    email: Mapped[str | None] = mapped_column(String(254))
    password_hash: Mapped[str] = mapped_column(String(255))
    roles: Mapped[list[str]] = mapped_column(JsonList)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Session(Base):
    """One login and all refresh tokens that followed from it: a family, revoked as a whole."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """When its newest refresh token ends."""
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RefreshToken(Base):
    """One refresh token, known by its hash; used once."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SigningKey(Base):
    """A key pair that signs access tokens from `signs_from` on, until a newer one does."""

    __tablename__ = "signing_keys"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    public_jwk: Mapped[dict[str, str]] = mapped_column(JsonDict)
    private_jwk: Mapped[str] = mapped_column(Text)
    """Ciphertext of `Keyring`, bound to `signing_keys:<id>:private_jwk`."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signs_from: Mapped[datetime] = mapped_column(UtcDateTime)


class Attempts(Base):
    """Failed logins of one account or one address."""

    __tablename__ = "login_attempts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of `account:<name>` or `address:<ip>`: what people type into a name field can be a password."""
    count: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    blocked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AuditEntry(Base):
    """Who came and went; no secrets."""

    __tablename__ = "audit"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    event: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[str | None] = mapped_column(String(36), index=True)
    address: Mapped[str] = mapped_column(String(64))


DATA_KEYS = data_keys_table(Base.metadata)
