"""Keeps secrets out of log lines, by name of the key and by type of the value."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from dataclasses import is_dataclass
from typing import Any, Final

from xget_kernel.secrets import MASK, Secret

_SECRET_NAME: Final = re.compile(
    r"passw|passphrase|secret|token|cookie|authorization|api_?key|private_?key|credential|totp|^ct0$|^session$",
    re.IGNORECASE,
)
_NOT_SECRET: Final = frozenset({"token_id", "token_type", "key_id", "tokens_used", "token_count"})
_DEEPEST = 6


def is_secret_name(name: str) -> bool:
    """Whether a key of this name usually holds a secret."""
    return name not in _NOT_SECRET and _SECRET_NAME.search(name) is not None


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: masks values under secret names and `Secret` values, however deep."""
    for name, value in event.items():
        if name != "event":
            event[name] = _clean(name, value, _DEEPEST)
    return event


def _clean(name: str, value: Any, depth: int) -> Any:
    if isinstance(value, Secret) or (is_secret_name(name) and value is not None):
        return MASK
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", inner, depth - 1) for inner in value]
    if is_dataclass(value):
        return repr(value)  # the JSON encoder would write its fields, those too that its repr hides
    return value
