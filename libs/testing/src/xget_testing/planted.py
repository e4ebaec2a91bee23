"""Secrets of every kind that XGet keeps, planted to be searched for byte by byte.

`COVERS` names for each sealed column what is planted in it; a trial compares it with the columns that services declare.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from xget_testing.people import Person

PROVIDER: Final = "provider.example"
"""Host of the planted list: name it in XGET_PROXY_PROVIDER_HOSTS."""
COVERS: Final[dict[str, tuple[str, ...]]] = {
    "accounts.password": ("kept password",),
    "accounts.email_password": ("e-mail password",),
    "accounts.cookies": ("browser's auth_token", "browser's ct0"),
    "accounts.totp": ("totp",),
    "accounts.api": ("bearer token", "client secret", "OAuth2 refresh token"),
    "account_logins.browser_state": ("browser's auth_token", "browser's storage"),
    "account_logins.refused": ("kept password",),
    "proxies.password": ("proxy password",),
    "providers.url": ("provider's key",),
    "signing_keys.private_jwk": (),
}
"""`refused` is a digest of passwords. What lies in `private_jwk` is made by auth itself and known to nobody."""


@dataclass
class Planted:
    """What was entrusted, by name, and the ids of what holds it."""

    secrets: dict[str, str] = field(default_factory=dict)
    accounts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = {name for covered in COVERS.values() for name in covered}
        self.secrets = {name: f"{secrets.token_urlsafe(18)}~{number}" for number, name in enumerate(sorted(names))}
        self.secrets["totp"] = base64.b32encode(secrets.token_bytes(20)).decode()
        self.secrets |= {"browser's auth_token": secrets.token_hex(20), "browser's ct0": secrets.token_hex(80)}
        self.secrets["proxy password"] = secrets.token_hex(12)

    def plant(self, person: Person) -> None:
        """Entrust it to a node through its gateway, all in accounts and lists of their own."""
        one = self.secrets
        body = {"username": "keeper", "email": "keeper@mail.example", "email_password": one["e-mail password"]}
        body["login_method"] = "COOKIES"  # no worker logs it in
        more = {"password": one["kept password"], "totp": one["totp"]}
        keeper = person.api("POST", "/accounts", json=body | more)["id"]
        ticket = person.api("POST", f"/accounts/{keeper}/assist")
        end = {"ticket": ticket["ticket"], "browser_state": self._state()}
        person.api("POST", f"/accounts/{keeper}/assist/{ticket['attempt_id']}", json=end)
        self.accounts = [keeper, self._api(person, "app", {"bearer_token": one["bearer token"]})]
        user = {"client_id": "client", "client_secret": one["client secret"]}
        user["refresh_token"] = one["OAuth2 refresh token"]
        self.accounts.append(self._api(person, "user", user))
        proxy = {"type": "http", "ip": "proxy.example", "port": 3128, "username": "someone"}
        person.api("POST", "/proxies", json={**proxy, "password": one["proxy password"]})
        key = one["provider's key"]
        url = f"https://{PROVIDER}/list?key={key}"
        person.api("POST", "/proxies/providers", json={"name": "lists", "url": url})

    def _api(self, person: Person, name: str, tokens: dict[str, Any]) -> str:
        made: str = person.api("POST", "/accounts", json={"username": name, "platform": "x_api"})["id"]
        person.api("PUT", f"/accounts/{made}/api", json=tokens)
        return made

    def _state(self) -> dict[str, Any]:
        place = {"domain": ".x.com", "path": "/", "expires": -1, "httpOnly": True, "secure": True, "sameSite": "None"}
        tokens = {"auth_token": self.secrets["browser's auth_token"], "ct0": self.secrets["browser's ct0"]}
        kept = [{"name": "kept", "value": json.dumps({"token": self.secrets["browser's storage"]})}]
        cookies = [{"name": name, "value": value, **place} for name, value in tokens.items()]
        return {"cookies": cookies, "origins": [{"origin": "https://x.com", "localStorage": kept}]}
