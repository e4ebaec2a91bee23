"""What goes wrong on the command line: one line with the fix, exit code 2."""

from __future__ import annotations

from typing import Any


class CliError(Exception):
    """An error for the user. `problem` is the server's problem+json when there was one."""

    def __init__(self, message: str, problem: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.problem = problem or {}


class Unreachable(CliError):
    """The gateway does not answer, or stopped answering half-way."""
