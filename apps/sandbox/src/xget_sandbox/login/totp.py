"""Time-based one-time passwords (RFC 6238: SHA-1, six digits, thirty seconds)."""

from __future__ import annotations

import base64
import hmac
import time
from typing import Final

STEP_S: Final = 30


def accepts(secret: str, code: str) -> bool:
    """Whether a code belongs to the base32 secret now, or did half a minute ago."""
    key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    step = int(time.time()) // STEP_S
    return code.strip() in {_code(key, step - before) for before in (0, 1)}


def _code(key: bytes, step: int) -> str:
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"
