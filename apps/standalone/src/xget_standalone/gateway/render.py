"""Adds a deployment's public keys to `kong.yml`, as Kong's `jwt` plugin wants them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from joserfc.jwk import ECKey

from xget_standalone.gateway.config import load


def with_keys(path: Path, jwks: dict[str, Any]) -> str:
    """The declaration as YAML with one consumer that holds every key of `jwks`; raises StartupError as `load` does."""
    load(path)
    declared = yaml.safe_load(path.read_text("utf-8"))
    keys = [ECKey.import_key(key) for key in jwks["keys"]]
    secrets = [
        {"key": key.kid, "algorithm": "ES256", "rsa_public_key": key.as_pem(private=False).decode()} for key in keys
    ]
    declared["consumers"] = [{"username": "xget", "jwt_secrets": secrets}]
    return yaml.safe_dump(declared, sort_keys=False, allow_unicode=True)
