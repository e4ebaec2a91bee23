"""Bodies of requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from xget_auth.models import AuditEntry, User
from xget_kernel.caller import Caller
from xget_web.types import Body, Hidden, text

Username = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{3,64}$", examples=["ada"])]
Email = Annotated[
    str, Field(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+$")
]
NewPassword = Annotated[str, Field(min_length=12, max_length=256, json_schema_extra={"format": "password"})]
TypedPassword = Annotated[str, Field(min_length=1, max_length=256, json_schema_extra={"format": "password"})]
TypedRefreshToken = Annotated[str, Field(min_length=1, max_length=128)]


class RegisterRequest(Body):
    """A new user: at least 12 characters of password, and not the username."""

    username: Username
    password: NewPassword
    email: Email | None = None


class LoginRequest(Body):
    """Any text is taken here, so that the answer says nothing about which names exist."""

    username: Annotated[str, text(64, min_length=1)]
    password: TypedPassword


class RefreshRequest(Body):
    """The newest refresh token of a login."""

    refresh_token: TypedRefreshToken


class TokenPair(Hidden):
    """An access token for requests and a refresh token for the next pair. Seconds until each ends."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 -- a scheme
    expires_in: int
    refresh_token: str
    refresh_expires_in: int


class UserRead(BaseModel):
    """A user as others may see it."""

    id: str
    username: str
    email: str | None
    roles: list[str]
    created_at: datetime | None
    """Null for the local administrator of open mode, who has no row."""

    @classmethod
    def of(cls, user: User) -> UserRead:
        return cls(id=user.id, username=user.username, email=user.email, roles=user.roles, created_at=user.created_at)

    @classmethod
    def local(cls, caller: Caller) -> UserRead:
        """The caller of open mode."""
        return cls(id=caller.user_id, username=caller.user_id, email=None, roles=sorted(caller.roles), created_at=None)


class UserName(BaseModel):
    """Who a user is, for those who know the id or the name."""

    id: str
    username: str

    @classmethod
    def of(cls, user: User) -> UserName:
        return cls(id=user.id, username=user.username)


class UserNames(BaseModel):
    """Users that were asked for."""

    items: list[UserName]


class PublicKey(BaseModel):
    """One key of the set, as RFC 7517 has it."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str
    use: Literal["sig"]
    alg: Literal["ES256"]


class KeySet(BaseModel):
    """All keys whose tokens may still be good."""

    keys: list[PublicKey]


class RotatedKey(BaseModel):
    """The new signing key: in the key set now, signing from `signs_from` on."""

    kid: str
    signs_from: datetime


class AuditRead(BaseModel):
    """One line of the audit."""

    id: str
    at: datetime
    event: str
    user_id: str | None
    address: str

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditRead:
        return cls(id=entry.id, at=entry.at, event=entry.event, user_id=entry.user_id, address=entry.address)
