"""Settings of the auth service."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from xget_kernel.secrets import Keyring, Secret
from xget_kernel.settings import ServiceSettings

NAME = "auth"


class Settings(ServiceSettings):
    """What the auth service reads from the environment."""

    default_port: ClassVar[int] = 8001

    registration: Literal["open", "closed"] = "open"
    """Whether anybody may register; the first user always may."""
    refresh_days: int = Field(30, ge=1, le=365)
    """Days after which an unused refresh token ends."""
    argon2_memory_kib: int = Field(32_768, ge=8, le=1_048_576)
    """Memory of one password hash; two are computed at once at most."""
    keys: Secret | None = None
    """Encryption keys as `id:base64`, comma-separated, newest last; by default `<home>/keys.json`."""

    @property
    def tables_url(self) -> str:
        """URL of the service's tables."""
        return self.tables(NAME)

    def keyring(self) -> Keyring:
        """The keys that encrypt signing keys; the key file is made at the first start. Raises StartupError."""
        if self.keys:
            return Keyring.from_env(self.keys.reveal())
        return Keyring.load_or_create(self.home / "keys.json")
