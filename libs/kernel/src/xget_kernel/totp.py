"""Time-based one-time passwords (RFC 6238) with SHA-1, six digits and thirty seconds, as platforms use them.

X's secrets have 80 bits, which some libraries refuse.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

STEP_S: Final = 30
LEAST_BYTES: Final = 8


def read_secret(text: str) -> str:
    """A base32 secret as it is kept, from how people write it: blanks, small letters, or an `otpauth://` address.

    Raises ValueError with a sentence that does not repeat it.
    """
    given = text.strip()
    if given.lower().startswith("otpauth:"):
        given = parse_qs(urlsplit(given).query).get("secret", [""])[0]
    secret = given.replace(" ", "").replace("-", "").rstrip("=").upper()
    try:
        key = _key(secret)
    except (binascii.Error, ValueError) as error:
        raise ValueError(
            "Is no TOTP secret: give the base32 text (A to Z and 2 to 7) that was shown with the QR code."
        ) from error
    if len(key) < LEAST_BYTES:
        raise ValueError("Is too short for a TOTP secret: give the whole text that was shown with the QR code.")
    return secret


def code(secret: str, moment: datetime) -> str:
    """The six digits of a secret at a moment. Raises ValueError as `read_secret` does."""
    key = _key(read_secret(secret))
    digest = hmac.digest(key, (int(moment.timestamp()) // STEP_S).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def _key(secret: str) -> bytes:
    return base64.b32decode(secret + "=" * (-len(secret) % 8))
