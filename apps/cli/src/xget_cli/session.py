"""Who is logged in where: tokens per gateway in a file that only its owner can read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TypedDict

from xget_cli.errors import CliError

DEFAULT_URL = "http://127.0.0.1:8000"


class Tokens(TypedDict):
    """A session at one gateway."""

    username: str
    access_token: str
    refresh_token: str


class SessionFile:
    """Reads and writes `session.json` in XGET_CONFIG_DIR, by default the user's config folder."""

    def __init__(self) -> None:
        config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        self.path = Path(os.environ.get("XGET_CONFIG_DIR") or Path(config) / "xget") / "session.json"

    def get(self, url: str) -> Tokens | None:
        """The session at `url`, or None."""
        return self._read().get(url)

    def put(self, url: str, tokens: Tokens | None) -> None:
        """Keep the session at `url`, or forget it. Raises CliError when the file cannot be written."""
        sessions = self._read()
        sessions.pop(url, None)
        if tokens is not None:
            sessions[url] = tokens
        try:
            self._write(sessions)
        except OSError as error:
            raise CliError(
                f"The session cannot be kept in {self.path} ({error.strerror}): set XGET_CONFIG_DIR to another folder."
            ) from error

    def _write(self, sessions: dict[str, Tokens]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(sessions, file)
        draft.replace(self.path)

    def _read(self) -> dict[str, Tokens]:
        try:
            found = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
