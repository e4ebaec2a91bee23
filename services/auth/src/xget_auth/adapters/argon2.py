"""Passwords with Argon2id."""

from __future__ import annotations

import asyncio
import unicodedata

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

AT_ONCE = 2


class Argon2Passwords:
    """Hashes in threads, two at a time: a rush of logins waits and does not take the machine's memory."""

    def __init__(self, memory_kib: int, rounds: int = 3) -> None:
        self._hasher = PasswordHash((Argon2Hasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1),))
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """An Argon2id hash with its salt and parameters."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def verify(self, password: str, hashed: str | None) -> tuple[bool, str | None]:
        """Whether it matches, and a new hash when the parameters have changed since."""
        if hashed is None:
            self._nobody = self._nobody or await self.hash("nobody has this password")
        async with self._turns:
            matches, better = await asyncio.to_thread(
                self._hasher.verify_and_update, _normal(password), hashed or self._nobody or ""
            )
        return (matches, better) if hashed is not None else (False, None)

    async def warm(self) -> None:
        """Make the hash that unknown users are checked against, so that the first of them takes no longer."""
        await self.verify("", None)


def _normal(password: str) -> str:
    # Keyboards differ in how they compose the same letter.
    return unicodedata.normalize("NFC", password)
