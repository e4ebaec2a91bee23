"""Settings of the account service."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from xget_kernel.secrets import Keyring, Secret
from xget_kernel.settings import ServiceSettings

NAME = "account"


class Settings(ServiceSettings):
    """What the account service reads from the environment."""

    default_port: ClassVar[int] = 8004

    account_daily_budget: int = Field(2000, ge=1, le=1_000_000)
    """Requests that one account may make per UTC day, unless the account says otherwise. A hard stop."""
    keys: Secret | None = None
    """Encryption keys as `id:base64`, comma-separated, newest last; by default `<home>/keys.json`."""

    @property
    def tables_url(self) -> str:
        """URL of the service's tables."""
        return self.tables(NAME)

    def keyring(self) -> Keyring:
        """The keys that encrypt secrets; the key file is made at the first start. Raises StartupError."""
        if self.keys:
            return Keyring.from_env(self.keys.reveal())
        return Keyring.load_or_create(self.home / "keys.json")
