"""The playbook in force: the packaged one, or a file that is read again when it changes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from xget_account.service.playbook.loading import LARGEST, packaged, parse
from xget_account.service.playbook.nodes import BadPlaybook
from xget_account.service.playbook.rows import SESSION, Answer, Decision, Playbook
from xget_kernel.clock import Clock
from xget_kernel.errors import StartupError
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

LOOK_SECONDS: Final = 2.0
"""A changed file is seen after this time at the latest."""


class Book:
    """Decides by the newest good playbook. A bad new file is told and the old one stays in force."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        """Raises StartupError when there is a path and no good playbook in it."""
        self._clock = clock
        self._path = path
        self._looked = clock.monotonic()
        self._seen = self._stamp()
        self.trouble = ""
        """Why the file as it is now is not in force."""
        self.since = clock.now()
        """Since when the one in force decides, in this process."""
        try:
            self._current = packaged() if path is None else _read(path)
        except BadPlaybook as error:
            raise StartupError(f"XGET_PLAYBOOK: {error}") from None

    @property
    def current(self) -> Playbook:
        """The playbook in force; looks at the file when it was not looked at for a while."""
        if self._path is not None and self._clock.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = self._clock.monotonic()
            self._look(self._path)
        return self._current

    def decide(self, answer: Answer, now: datetime, route: str = SESSION) -> Decision:
        """What an answer of a route means now."""
        return self.current.decide(answer, now, route)

    def _look(self, path: Path) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._current = _read(path)
        except BadPlaybook as error:
            self.trouble = str(error)
            log.error("playbook_refused", reason=str(error), in_force=self._current.revision)
            return
        self.trouble = ""
        self.since = self._clock.now()
        told = {"playbook": self._current.name, "revision": self._current.revision}
        log.warning("playbook_changed", **told, rules=len(self._current.rules))

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size) if found else None


def _read(path: Path) -> Playbook:
    try:
        with path.open(encoding="utf-8") as file:
            return parse(file.read(LARGEST + 1), path.name)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BadPlaybook(f"{path.name} cannot be read: {why}.") from None
