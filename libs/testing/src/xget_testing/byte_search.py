"""Looks for secrets byte by byte, in every form in which software writes text down."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote


def forms(secret: str) -> dict[str, bytes]:
    """The bytes to look for, by what they are."""
    raw = secret.encode()
    found = {
        "plain": raw,
        "UTF-16 LE": secret.encode("utf-16-le"),
        "UTF-16 BE": secret.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "URL": quote(secret, safe="").encode(),
        "reversed": raw[::-1],
    }
    for shift in range(3):
        found[f"base64 +{shift}"] = (inner := _base64(raw, shift))
        found[f"base64url +{shift}"] = inner.replace(b"+", b"-").replace(b"/", b"_")
    return found


def found_in(content: bytes, secrets: Mapping[str, str]) -> list[str]:
    """Which secrets some bytes hold, and in which form."""
    return [
        f"{name} ({form})"
        for name, secret in secrets.items()
        for form, sought in forms(secret).items()
        if sought in content
    ]


def found_in_files(folders: Iterable[Path], secrets: Mapping[str, str], *, but: frozenset[str]) -> dict[str, list[str]]:
    """What every file below the folders holds, except those named in `but`."""
    return {str(path): found for path in _files(folders, but) if (found := found_in(_content(path), secrets))}


def _files(folders: Iterable[Path], but: frozenset[str]) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file() and path.name not in but)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # a journal that was just removed
        return b""


def _base64(raw: bytes, shift: int) -> bytes:
    """What of its base64 does not depend on the bytes around, when it begins `shift` bytes after a group."""
    whole = base64.b64encode(b"\0" * shift + raw)
    first = -(-shift * 8 // 6)
    last = (shift + len(raw)) * 8 // 6
    return whole[first:last]
