"""Credentials on their way through the pipe to the browser's process."""

from __future__ import annotations

from typing import Any, Final

from xget_account.ports import Credentials
from xget_kernel.secrets import Secret

SECRET_FIELDS: Final = ("password", "email_password", "totp", "proxy_url", "browser_state")


def credentials(given: dict[str, Any]) -> Credentials:
    """From JSON."""
    hidden = {name: Secret(given[name]) if given[name] else None for name in SECRET_FIELDS}
    return Credentials(**{**given, **hidden})


def wire(given: Credentials) -> dict[str, Any]:
    """To JSON: the only place where secrets are shown, for the pipe."""
    shown = {name: secret.reveal() if (secret := getattr(given, name)) else None for name in SECRET_FIELDS}
    return {**vars(given), **shown}
