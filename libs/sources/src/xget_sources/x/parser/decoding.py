"""From a body to JSON, also when X cut it badly."""

from __future__ import annotations

import json
from typing import Any

import orjson


def decode(body: bytes) -> Any:
    """The decoded body; texts with lone surrogates or broken UTF-8 get replacement characters. Raises ValueError."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            loose = json.loads(body.decode("utf-8", "replace"))
            return orjson.loads(json.dumps(loose, ensure_ascii=False).encode("utf-8", "replace"))
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
