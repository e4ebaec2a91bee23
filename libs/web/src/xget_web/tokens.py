"""Verifies ES256 access tokens against a JWKS."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2 as httpx
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from xget_kernel.caller import Caller
from xget_kernel.clock import Clock, SystemClock
from xget_kernel.errors import Unauthenticated, Unavailable
from xget_kernel.settings import ServiceSettings

KeyLoader = Callable[[], Awaitable[Mapping[str, Any]]]

ALGORITHM = "ES256"
LONGEST_TOKEN = 8192
REFETCH_SECONDS = 5.0
JWKS_PATH = "/.well-known/jwks.json"
LEEWAY_SECONDS = 330.0
"""The auth service issues by its database's time, which a machine's own may be five minutes off; and a trip."""


class TokenVerifier:
    """Checks signature, issuer, audience and times; keys are cached and fetched again for an unknown `kid`.

    `source` is the URL of a JWKS, the JWKS itself, or an async function that returns it. An unknown key makes at
    most one fetch in five seconds. `leeway` is how many seconds `exp` and `nbf` may be off for a clock that differs.
    """

    def __init__(
        self,
        source: str | Mapping[str, Any] | KeyLoader,
        *,
        issuer: str = "xget",
        audience: str = "xget",
        clock: Clock | None = None,
        leeway: float = 0.0,
    ) -> None:
        self._load = _loader(source)
        self._issuer = issuer
        self._audience = audience
        self._clock = clock or SystemClock()
        self._leeway = leeway
        self._keys: dict[str, ECKey] = {}
        self._fetched_at: float | None = None
        self._fetching = asyncio.Lock()

    @classmethod
    def of(cls, settings: ServiceSettings, clock: Clock | None = None) -> Self:
        """A verifier that trusts the auth service of these settings."""
        return cls(settings.auth_service_url.rstrip("/") + JWKS_PATH, clock=clock, leeway=leeway_of(settings))

    async def verify(self, token: str) -> Caller:
        """The caller a token belongs to. Raises Unauthenticated (401); Unavailable (503) while no key can be read."""
        key = await self._key(_key_id(token))
        try:
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError) as error:
            raise refused("Its signature does not match.") from error
        self._check(claims)
        return _caller(claims)

    async def _key(self, key_id: str) -> ECKey:
        if key_id not in self._keys:
            async with self._fetching:
                if key_id not in self._keys and self._may_fetch():
                    await self._fetch()
        found = self._keys.get(key_id)
        if found is None:
            raise refused("It was signed with a key that is not known here.")
        return found

    def _may_fetch(self) -> bool:
        return self._fetched_at is None or self._clock.monotonic() - self._fetched_at >= REFETCH_SECONDS

    async def _fetch(self) -> None:
        document = await self._load()
        self._fetched_at = self._clock.monotonic()
        self._keys = {k["kid"]: ECKey.import_key(dict(k)) for k in document.get("keys", ()) if _usable(k)}

    def _check(self, claims: Mapping[str, Any]) -> None:
        now = self._clock.now().timestamp()
        if claims.get("iss") != self._issuer:
            raise refused("It comes from another issuer.")
        audience = claims.get("aud")
        if self._audience not in ([audience] if isinstance(audience, str) else audience or ()):
            raise refused("It is meant for another audience.")
        if not _number(claims.get("exp")) or claims["exp"] + self._leeway <= now:
            raise refused("It has expired: refresh it or log in again.")
        if "nbf" in claims and (not _number(claims["nbf"]) or claims["nbf"] - self._leeway > now):
            raise refused("It is not valid yet.")


def leeway_of(settings: ServiceSettings) -> float:
    """Seconds by which tokens are judged mildly: none where the auth service has this machine's clock."""
    far = urlsplit(settings.auth_service_url).hostname not in {"127.0.0.1", "localhost", "::1"}
    return LEEWAY_SECONDS if far or settings.is_real("tables") else 0.0


def refused(reason: str) -> Unauthenticated:
    """The 401 for a token that was presented and is no good."""
    challenge = {"WWW-Authenticate": 'Bearer realm="xget", error="invalid_token"'}
    return Unauthenticated(f"This access token is not accepted. {reason}", headers=challenge)


def _key_id(token: str) -> str:
    if len(token) > LONGEST_TOKEN:
        raise refused("It is too long.")
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise refused("It is not a signed token.") from error
    key_id = header.get("kid")
    if header.get("alg") != ALGORITHM or not isinstance(key_id, str):
        raise refused(f"It must be signed with {ALGORITHM} and name its key.")
    return key_id


def _caller(claims: Mapping[str, Any]) -> Caller:
    subject, roles = claims.get("sub"), claims.get("roles", [])
    if not isinstance(subject, str) or not subject or not isinstance(roles, list):
        raise refused("It does not say whose it is.")
    return Caller(user_id=subject, roles=frozenset(str(r) for r in roles), via="token")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _usable(key: Mapping[str, Any]) -> bool:
    return key.get("kty") == "EC" and key.get("crv") == "P-256" and isinstance(key.get("kid"), str)


def _loader(source: str | Mapping[str, Any] | KeyLoader) -> KeyLoader:
    if isinstance(source, str):
        return _fetcher(source)
    if isinstance(source, Mapping):
        return _constant(source)
    return source


def _constant(document: Mapping[str, Any]) -> KeyLoader:
    async def load() -> Mapping[str, Any]:
        return document

    return load


def _fetcher(url: str) -> KeyLoader:
    async def load() -> Mapping[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
                document = (await client.get(url)).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable("Access tokens cannot be checked now: the auth service does not answer.") from error
        if not isinstance(document, dict):
            raise Unavailable("Access tokens cannot be checked now: the auth service sent no key set.")
        return document

    return load
