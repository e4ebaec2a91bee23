"""Settings of the auth service."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from xget_kernel.keys import KeySettings

NAME = "auth"


class Settings(KeySettings):
    """What the auth service reads from the environment."""

    default_port: ClassVar[int] = 8001

    registration: Literal["open", "closed"] = "open"
    """Whether anybody may register; the first user always may."""
    refresh_days: int = Field(30, ge=1, le=365)
    """Days after which an unused refresh token ends."""
    argon2_memory_kib: int = Field(32_768, ge=8, le=1_048_576)
    """Memory of one password hash; two are computed at once at most."""

    @property
    def tables_url(self) -> str:
        """URL of the service's tables."""
        return self.tables(NAME)
