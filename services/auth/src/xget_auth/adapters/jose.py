"""ES256 key pairs and signatures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

ALGORITHM = "ES256"


class Es256KeyPairs:
    """Keys on P-256; a parsed private key is kept for the next signature."""

    def __init__(self) -> None:
        self._parsed = lru_cache(maxsize=4)(_parse)

    def create(self, key_id: str) -> tuple[Mapping[str, str], str]:
        """The public JWK and the private one as text."""
        key = ECKey.generate_key("P-256", parameters={"kid": key_id, "use": "sig", "alg": ALGORITHM})
        public = {name: str(value) for name, value in key.as_dict(private=False).items()}
        return public, json.dumps(key.as_dict(private=True))

    def sign(self, key_id: str, private_jwk: str, claims: Mapping[str, Any]) -> str:
        """A compact JWT with `kid`."""
        return jwt.encode({"alg": ALGORITHM, "kid": key_id}, dict(claims), self._parsed(private_jwk))


def _parse(private_jwk: str) -> ECKey:
    return ECKey.import_key(json.loads(private_jwk))
