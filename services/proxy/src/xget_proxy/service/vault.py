"""Passwords of proxies: sealed into their row, opened only to connect."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from xget_kernel.secrets import Keyring, SecretUnreadable
from xget_proxy.models import Provider, Proxy
from xget_proxy.repository import Held

SESSION: Final = "{session}"
"""Where in a gateway's user name its session stands: each has an exit of its own."""


def has_sessions(proxy: Proxy | Held) -> bool:
    """Whether it is a gateway that gives another exit to whoever names another session."""
    return SESSION in proxy.username


class Vault:
    """Encrypts a password so that it opens only in its own row."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, proxy: Proxy, password: str | None) -> None:
        """Store a password; None or "" empties it."""
        proxy.password = self._keyring.encrypt(password, aad=_aad(proxy)) if password else None

    def opens(self, proxy: Proxy | Held) -> bool:
        """Whether its password opens; one without a password does."""
        try:
            return bool(self.url(proxy))
        except SecretUnreadable:
            return False

    def seal_url(self, provider: Provider, url: str) -> None:
        """Store where a provider's list is."""
        provider.url = self._keyring.encrypt(url, aad=f"providers:{provider.id}:url")

    def open_url(self, provider: Provider) -> str:
        """Where a provider's list is: a secret. Raises SecretUnreadable when the key is gone."""
        return self._keyring.decrypt(provider.url, aad=f"providers:{provider.id}:url")

    def url(self, proxy: Proxy | Held, address: str | None = None, session: str = "") -> str:
        """`scheme://user:password@host:port`: a secret. Raises SecretUnreadable when the key is gone.

        `address` stands for the name, so that nobody looks it up again; TLS to the proxy needs the name itself.
        `session` stands for `{session}` in the user name.
        """
        password = self._keyring.decrypt(proxy.password, aad=_aad(proxy)) if proxy.password else ""
        login = quote(proxy.username.replace(SESSION, session), safe="") + (
            f":{quote(password, safe='')}" if password else ""
        )
        place = proxy.ip if address is None or proxy.type == "https" else address
        host = f"[{place}]" if ":" in place else place
        return f"{proxy.type}://{login}{'@' if login else ''}{host}:{proxy.port}"


def _aad(proxy: Proxy | Held) -> str:
    return f"proxies:{proxy.id}:password"
