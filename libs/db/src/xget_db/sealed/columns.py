"""Which columns of a service's tables hold ciphertexts of its keyring."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sealed:
    """A table with secrets: each is bound to `<table>:<value of key>:<column>`."""

    table: str
    columns: tuple[str, ...]
    key: str = "id"
    """The primary key, text."""

    def place(self, key: str, column: str) -> str:
        """What a secret of this row and column is bound to."""
        return f"{self.table}:{key}:{column}"
