"""Settings of the account service."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from xget_kernel.keys import KeySettings

NAME = "account"


class Settings(KeySettings):
    """What the account service reads from the environment."""

    default_port: ClassVar[int] = 8004

    account_daily_budget: int = Field(2000, ge=1, le=1_000_000)
    """Requests that one account may make per UTC day, unless the account says otherwise. A hard stop."""
    playbook: Path | None = None
    """A playbook of your own (YAML or JSON), read again when it changes; by default the packaged one."""
    login_daily_cap: int = Field(4, ge=1, le=100)
    """Tries to log one account in per UTC day, by itself or asked for. A hard stop."""
    login_seconds: float = Field(120.0, ge=5, le=900)
    """A login that takes longer is cut off."""
    login_poll_seconds: float = Field(2.0, ge=0.05, le=3600)
    """How often the worker looks for accounts to log in."""

    @property
    def tables_url(self) -> str:
        """URL of the service's tables."""
        return self.tables(NAME)
