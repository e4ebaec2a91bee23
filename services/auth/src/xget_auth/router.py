"""Registration, logins and keys over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from xget_auth.deps import Address, Admin, Built, Rows
from xget_auth.errors import (
    BadCredentials,
    BadRefreshToken,
    RefreshTokenJustUsed,
    RegistrationClosed,
    TooManyAttempts,
    UsernameTaken,
    WeakPassword,
)
from xget_auth.schemas import (
    AuditRead,
    KeySet,
    LoginRequest,
    PublicKey,
    RefreshRequest,
    RegisterRequest,
    RotatedKey,
    TokenPair,
    UserNames,
    UserRead,
)
from xget_auth.service.directory import MOST_IDS
from xget_auth.service.sessions import Login
from xget_kernel.errors import Unauthenticated
from xget_web.auth import CallerDep
from xget_web.paging import PageOut, PageParams
from xget_web.problems import errors
from xget_web.types import text

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])
wellknown = APIRouter(tags=["auth"])
AnyId = Annotated[str, text(128, min_length=1)]
AnyName = Annotated[str, text(64, min_length=1)]


@router.post("/register", status_code=201, responses=errors(RegistrationClosed, UsernameTaken, WeakPassword))
async def register(body: RegisterRequest, built: Built, address: Address) -> UserRead:
    """Make a user. The first one is the administrator; the next ones are analysts."""
    return UserRead.of(await built.registration.register(body, address))


@router.post("/login", responses=errors(BadCredentials, TooManyAttempts))
async def login(body: LoginRequest, built: Built, address: Address) -> TokenPair:
    """Exchange username and password for tokens. After five failures in a row each one costs a longer pause."""
    return await built.sessions.login(Login(body.username, body.password, address))


@router.post("/refresh", responses=errors(BadRefreshToken, RefreshTokenJustUsed))
async def refresh(body: RefreshRequest, built: Built, address: Address) -> TokenPair:
    """Exchange the newest refresh token for new tokens. It is used once; used again, it ends the session."""
    return await built.sessions.refresh(body.refresh_token, address)


@router.post("/logout", status_code=204)
async def logout(body: RefreshRequest, built: Built, address: Address) -> Response:
    """End the session of a refresh token. Access tokens run out by themselves."""
    await built.sessions.logout(body.refresh_token, address)
    return Response(status_code=204)


@router.get("/me")
async def me(caller: CallerDep, rows: Rows) -> UserRead:
    """The user of the access token."""
    user = await rows.users.get(caller.user_id)
    if user is not None:
        return UserRead.of(user)
    if caller.via == "open":
        return UserRead.local(caller)
    raise Unauthenticated("The user of this token does not exist any more.")


@router.get("/users")
async def find_users(
    caller: CallerDep,
    built: Built,
    user_ids: Annotated[list[AnyId], Query(alias="id", max_length=MOST_IDS, default_factory=list)],
    usernames: Annotated[list[AnyName], Query(alias="username", max_length=MOST_IDS, default_factory=list)],
) -> UserNames:
    """Ids and names of the users with these ids or exactly these usernames. Nobody else is told of."""
    return UserNames(items=await built.directory.find(user_ids, usernames))


@router.post("/keys/rotate", status_code=201)
async def rotate_key(caller: Admin, built: Built, address: Address) -> RotatedKey:
    """Take a new signing key. Tokens of the old one stay good until they run out."""
    key = await built.keys.rotate(caller, address)
    return RotatedKey(kid=key.id, signs_from=key.signs_from)


@router.get("/audit")
async def list_audit(caller: Admin, rows: Rows, page: PageParams) -> PageOut[AuditRead]:
    """Registrations, logins, failures, logouts and what is done to keys, newest first. For administrators."""
    entries, total = await rows.audit.page(page)
    return PageOut[AuditRead].of([AuditRead.of(entry) for entry in entries], page, total)


@wellknown.get("/.well-known/jwks.json")
async def jwks(built: Built, response: Response) -> KeySet:
    """The public keys of access tokens (RFC 7517)."""
    response.headers["Cache-Control"] = "public, max-age=5"
    return KeySet(keys=[PublicKey.model_validate(key) for key in await built.keys.published()])
