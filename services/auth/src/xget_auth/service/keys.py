"""Signing keys: published before they sign, kept until the last token they signed has run out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from xget_auth.models import SigningKey
from xget_auth.ports import KeyPairs
from xget_auth.repository import AuthRepository
from xget_auth.service.audit import KEY_ROTATED, entry
from xget_auth.service.work import Work
from xget_db.sealed import key_id_of
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.errors import StartupError, XGetError
from xget_kernel.ids import new_id
from xget_kernel.secrets import Keyring, SecretUnreadable

ACCESS_LIFE = timedelta(minutes=15)
HEAD_START = timedelta(seconds=10)
"""Verifiers fetch unknown keys at most every five seconds: a new key waits until all of them can have it."""
AFTERLIFE = ACCESS_LIFE + timedelta(minutes=1)


class KeyService:
    """Makes, rotates and publishes signing keys, and signs with the one whose time it is."""

    def __init__(self, work: Work, reading: Work, pairs: KeyPairs, keyring: Keyring, clock: Clock) -> None:
        self._work = work
        self._reading = reading
        self._pairs = pairs
        self._keyring = keyring
        self._clock = clock

    async def ensure(self) -> None:
        """Make the first key. Raises StartupError when the present one cannot be decrypted."""
        now = self._clock.now()
        async with self._work() as repository:
            await repository.keys.in_turn()
            key = await repository.keys.signing(now)
            if key is None:
                repository.keys.add(self._create(now, now))
                return
        try:
            self._private(key)
        except XGetError as error:
            raise StartupError(
                "The signing key of the auth service cannot be decrypted: restore keys.json of the home folder (or "
                f"XGET_KEYS) with the key {key_id_of(key.private_jwk)} that wrote it. Without a backup: `xget keys "
                "lost` names what no key opens, and with --begin-anew goes on without it; users stay."
            ) from error

    async def begin_anew(self) -> int:
        """Drop signing keys that cannot be decrypted, and make one where none is left; how many were dropped.

        Tokens that they signed are refused from now on; sessions go on with new ones.
        """
        now = self._clock.now()
        async with self._work() as repository:
            await repository.keys.in_turn()
            lost = [key.id for key in await repository.keys.all() if not self._opens(key)]
            await repository.keys.delete(lost)
            if await repository.keys.signing(now) is None:
                repository.keys.add(self._create(now, now))
        return len(lost)

    async def rotate(self, caller: Caller, address: str) -> SigningKey:
        """Publish a new key that signs from in a few seconds on; drop keys whose tokens have all run out."""
        now = self._clock.now()
        async with self._work() as repository:
            await repository.keys.in_turn()
            ended = [key.id for key, until in _ends(await repository.keys.all()) if until and until <= now]
            await repository.keys.delete(ended)
            key = self._create(now, now + HEAD_START)
            repository.keys.add(key)
            repository.audit.add(entry(KEY_ROTATED, caller.user_id, address, now))
        return key

    async def published(self) -> list[dict[str, str]]:
        """The public keys whose tokens may still be good."""
        now = self._clock.now()
        async with self._reading() as repository:
            keys = await repository.keys.all()
        return [dict(key.public_jwk) for key, until in _ends(keys) if until is None or until > now]

    async def sign(self, repository: AuthRepository, claims: dict[str, Any], now: datetime) -> str:
        """An access token of 15 minutes with these claims."""
        key = await repository.keys.signing(now)
        if key is None:
            raise StartupError("There is no signing key: start the auth service again.")
        times = {"iat": int(now.timestamp()), "exp": int((now + ACCESS_LIFE).timestamp())}
        base = {"iss": "xget", "aud": "xget", "jti": new_id()}
        return self._pairs.sign(key.id, self._private(key), base | times | claims)

    def _create(self, now: datetime, signs_from: datetime) -> SigningKey:
        key_id = new_id()
        public, private = self._pairs.create(key_id)
        sealed = self._keyring.encrypt(private, aad=_aad(key_id))
        return SigningKey(id=key_id, public_jwk=dict(public), private_jwk=sealed, created_at=now, signs_from=signs_from)

    def _opens(self, key: SigningKey) -> bool:
        try:
            return bool(self._private(key))
        except SecretUnreadable:
            return False

    def _private(self, key: SigningKey) -> str:
        return self._keyring.decrypt(key.private_jwk, aad=_aad(key.id))


def _aad(key_id: str) -> str:
    return f"signing_keys:{key_id}:private_jwk"


def _ends(newest_first: Sequence[SigningKey]) -> list[tuple[SigningKey, datetime | None]]:
    """Each key with the time from which none of its tokens is good; None while no newer key has replaced it."""
    starts = [None, *(key.signs_from for key in newest_first)]
    return [
        (key, None if start is None else start + AFTERLIFE) for key, start in zip(newest_first, starts, strict=False)
    ]
