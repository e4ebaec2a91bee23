"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from xget_kernel.errors import Forbidden

ADMIN: Final = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity behind a request, verified at the edge."""

    user_id: str
    roles: frozenset[str]
    via: str
    """How they proved it: `token`, `api_key`, `open`, `internal`."""

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.roles

    @property
    def owner_filter(self) -> str | None:
        """The owner whose rows the caller may see; None means all rows."""
        return None if self.is_admin else self.user_id

    def require(self, *roles: str) -> None:
        """Raise Forbidden (403) unless the caller has one of `roles`; an admin always passes."""
        if self.is_admin or not self.roles.isdisjoint(roles):
            return
        wanted = " or ".join(sorted(roles)) or ADMIN
        raise Forbidden(f"This needs the role {wanted}; ask an administrator to grant it.")


LOCAL_ADMIN: Final = Caller(user_id="local", roles=frozenset({ADMIN}), via="open")
