"""Secrets of accounts: sealed into their row, opened only for a lease."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from xget_account.models import LOGIN_SECRETS, SECRETS, Account, Login
from xget_account.repository import Held
from xget_kernel.secrets import Keyring, Secret, SecretUnreadable

_FIRST: Final = "given_refresh_token"
"""Beside the tokens: the refresh token that a person gave. The platform has given others since."""


class Vault:
    """Encrypts a secret so that it opens only in its own row and column."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, account: Account, field: str, plain: str | None) -> None:
        """Store a secret in the account's column; None or "" empties it."""
        if field not in SECRETS:
            raise ValueError(f"{field} is not a secret column")
        setattr(account, field, self.sealed(account.id, field, plain) if plain else None)

    def sealed(self, account_id: str, field: str, plain: str) -> str:
        """What the account's column is to hold for a secret."""
        return self._keyring.encrypt(plain, aad=f"accounts:{account_id}:{field}")

    def open(self, account: Account | Held, field: str) -> str | None:
        """A secret of the account, None when it has none. Raises SecretUnreadable."""
        sealed: str | None = getattr(account, field)
        return None if sealed is None else self._keyring.decrypt(sealed, aad=_aad(account, field))

    def seal_login(self, login: Login, field: str, plain: str) -> None:
        """Store a secret of the account's logins."""
        if field not in LOGIN_SECRETS:
            raise ValueError(f"{field} is not a secret column")
        setattr(login, field, self._keyring.encrypt(plain, aad=_login_aad(login, field)))

    def open_login(self, login: Login, field: str) -> Secret | None:
        """A secret of the account's logins, None when there is none. Raises SecretUnreadable."""
        sealed: str | None = getattr(login, field)
        return None if sealed is None else Secret(self._keyring.decrypt(sealed, aad=_login_aad(login, field)))

    def session_of(self, login: Login) -> Secret | None:
        """What a browser kept of the account's session; None also when its key is lost: a login begins without it."""
        try:
            return self.open_login(login, LOGIN_SECRETS[0])
        except SecretUnreadable:
            return None

    def give_api(self, account: Account, tokens: Mapping[str, Any]) -> None:
        """Store tokens for the platform's official API that a person gave; which they were is remembered."""
        account.api = self.sealed(account.id, "api", given_text(tokens))
        account.given_fence = account.fence

    def seal_api(self, account: Account, tokens: Mapping[str, Any]) -> None:
        """Store tokens that the platform gave in place of those before."""
        before = json.loads(self.open(account, "api") or "{}")
        first = {_FIRST: before[_FIRST]} if _FIRST in before else {}
        self.seal(account, "api", json.dumps({**tokens, **first}, separators=(",", ":")))

    def renew_api(self, account: Account, tokens: Mapping[str, Any], replaces: str) -> None:
        """Put tokens in the place of those that they came of; others, which a person gave meanwhile, stay."""
        known = self.open_api(account) or {}
        if not replaces or known.get("refresh_token") in {replaces, tokens["refresh_token"]}:
            self.seal_api(account, {**known, **tokens})

    def open_api(self, account: Account | Held) -> dict[str, Any] | None:
        """The account's tokens for the official API, None when it has none. Raises SecretUnreadable."""
        plain = self.open(account, "api")
        if plain is None:
            return None
        tokens: dict[str, Any] = json.loads(plain)
        tokens.pop(_FIRST, None)
        return tokens

    def given_api(self, account: Account) -> dict[str, Any] | None:
        """The tokens as a person gave them, None when there are none. Raises SecretUnreadable."""
        tokens: dict[str, Any] = json.loads(self.open(account, "api") or "{}")
        first = tokens.pop(_FIRST, None)
        if first is not None:
            tokens = {name: tokens[name] for name in ("client_id", "client_secret") if name in tokens}
            tokens["refresh_token"] = first
        return tokens or None

    def seal_cookies(self, account: Account, cookies: Mapping[str, str]) -> None:
        """Store cookies, name to value."""
        account.cookies = self.sealed(account.id, "cookies", cookie_text(cookies))
        account.given_fence = account.fence

    def open_cookies(self, account: Account | Held) -> dict[str, str]:
        """The account's cookies. Raises SecretUnreadable when the key is gone or the row was tampered with."""
        if account.cookies is None:
            return {}
        cookies: dict[str, str] = json.loads(self._keyring.decrypt(account.cookies, aad=_aad(account, "cookies")))
        return cookies


def cookie_text(cookies: Mapping[str, str]) -> str:
    """Cookies as they are sealed."""
    return json.dumps(dict(cookies), separators=(",", ":"))


def given_text(tokens: Mapping[str, Any]) -> str:
    """Tokens that a person gave, as they are sealed."""
    first = {_FIRST: tokens["refresh_token"]} if "refresh_token" in tokens else {}
    return json.dumps({**tokens, **first}, separators=(",", ":"))


def secrets_set(account: Account) -> list[str]:
    """Names of the secrets that the account has."""
    return [name for name in SECRETS if getattr(account, name) is not None]


def _login_aad(login: Login, field: str) -> str:
    return f"account_logins:{login.account_id}:{field}"


def _aad(account: Account | Held, field: str) -> str:
    return f"accounts:{account.id}:{field}"
