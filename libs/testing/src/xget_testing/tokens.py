"""Access tokens for tests, and the verifier that accepts them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from xget_kernel.clock import Clock, SystemClock
from xget_web.tokens import TokenVerifier


class TokenMaker:
    """Signs tokens as the auth service does, with a key of its own."""

    def __init__(self, clock: Clock | None = None, key_id: str = "test") -> None:
        self._clock = clock or SystemClock()
        self._key = ECKey.generate_key("P-256", parameters={"kid": key_id, "use": "sig", "alg": "ES256"})

    @property
    def jwks(self) -> dict[str, Any]:
        """The public key set."""
        return {"keys": [self._key.as_dict(private=False)]}

    def verifier(self) -> TokenVerifier:
        """Accepts what this maker signs."""
        return TokenVerifier(self.jwks, clock=self._clock)

    def make(self, user_id: str = "user-1", roles: Sequence[str] = ("analyst",), **claims: Any) -> str:
        """A token of 15 minutes; keyword arguments replace claims, None leaves one out."""
        now = self._clock.now()
        base = {
            "iss": "xget",
            "aud": "xget",
            "sub": user_id,
            "roles": list(roles),
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=15)).timestamp()),
        }
        merged = {k: v for k, v in (base | claims).items() if v is not None}
        return jwt.encode({"alg": "ES256", "kid": self._key.kid}, merged, self._key)
