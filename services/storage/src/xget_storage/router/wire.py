"""Answers as JSON."""

from __future__ import annotations

import msgspec
from fastapi import Response


def answer(body: msgspec.Struct, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A struct as the body."""
    return Response(msgspec.json.encode(body), status, headers=headers, media_type="application/json")
