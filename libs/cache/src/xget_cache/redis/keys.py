"""Names of keys. What one script touches has one hash tag, as a proxy in front of a Redis Cluster needs it."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_PLAIN: Final = re.compile(r"[\w.:/@-]{1,100}", re.ASCII)


class Keys:
    """All keys begin with `prefix`, so that several installations can share one Redis."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def cache(self, key: str) -> str:
        """Of a cached value."""
        return f"{self._prefix}:cache:{_tag(key)}"

    def limit(self, subject: str, seconds: int) -> str:
        """Of a subject's counter for one length of window."""
        return f"{self._prefix}:limit:{{{_tag(subject)}}}:{seconds}"

    def lock(self, name: str) -> str:
        """Of a lock."""
        return f"{self._prefix}:lock:{{{_tag(name)}}}"

    def last_token(self, name: str) -> str:
        """Of the highest token of a lock so far."""
        return f"{self._prefix}:lock:{{{_tag(name)}}}:token"

    def probe(self) -> str:
        """Of what is written at the start, to see that it can be."""
        return f"{self._prefix}:probe"


def _tag(text: str) -> str:
    """Plain text as it is; anything else (braces, blanks, long) as a digest."""
    return text if _PLAIN.fullmatch(text) else "~" + hashlib.blake2b(text.encode(), digest_size=20).hexdigest()
