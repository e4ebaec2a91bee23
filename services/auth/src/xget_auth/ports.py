"""What the use cases need from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Passwords(Protocol):
    """Hashes and checks passwords; slow on purpose, never in a transaction."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password: str, hashed: str | None) -> tuple[bool, str | None]:
        """Whether it matches, and a better hash when there is one. None takes as long and never matches."""
        ...


class KeyPairs(Protocol):
    """Makes key pairs and signs with them."""

    def create(self, key_id: str) -> tuple[Mapping[str, str], str]:
        """The public JWK and the private one as text."""
        ...

    def sign(self, key_id: str, private_jwk: str, claims: Mapping[str, Any]) -> str:
        """A compact JWT."""
        ...
