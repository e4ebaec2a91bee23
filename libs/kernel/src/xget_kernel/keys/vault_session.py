"""Talking to HashiCorp Vault: logins, tokens that end, and what its refusals mean."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol, TypeVar

import hvac
from hvac import exceptions as said

from xget_kernel.keys.kek import KekTrouble
from xget_kernel.secrets import Secret

SECONDS: Final = 3.0
"""For one request to Vault."""
_T = TypeVar("_T")


class Login(Protocol):
    """How a token is come by."""

    def __call__(self, client: hvac.Client) -> Mapping[str, Any]:
        """Log in; Vault's `auth` answer."""


def by_token(token: Secret) -> Login:
    """A token that somebody else renews, or that does not end."""

    def log_in(client: hvac.Client) -> Mapping[str, Any]:
        client.token = token.reveal()
        return {"lease_duration": 0}

    return log_in


def by_approle(role_id: str, secret_id: Secret, mount: str) -> Login:
    """An AppRole."""

    def log_in(client: hvac.Client) -> Mapping[str, Any]:
        answer = client.auth.approle.login(role_id=role_id, secret_id=secret_id.reveal(), mount_point=mount)
        return dict(answer["auth"])

    return log_in


def by_kubernetes(role: str, jwt_file: Path, mount: str) -> Login:
    """The pod's service account; its token is read anew each time, because Kubernetes replaces it."""

    def log_in(client: hvac.Client) -> Mapping[str, Any]:
        try:
            jwt = jwt_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise KekTrouble(
                f"The service account token {jwt_file} cannot be read: mount it, or set XGET_VAULT_JWT_FILE."
            ) from None
        answer = client.auth.kubernetes.login(role=role, jwt=jwt, mount_point=mount)
        return dict(answer["auth"])

    return log_in


class VaultSession:
    """A client that logs in by itself, renews its token at two thirds of its life and logs in again when it ended."""

    def __init__(self, url: str, log_in: Login, *, namespace: str | None = None, ca: Path | None = None) -> None:
        self.url = url
        self._log_in = log_in
        self._client = hvac.Client(url=url, namespace=namespace, verify=str(ca) if ca else True, timeout=int(SECONDS))
        self._client.token = ""
        self._known = False
        self._renew_at = float("inf")
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"VaultSession({self.url})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A session of Vault is not pickled: it would be written with its token.")

    def ask(self, what: str, request: Callable[[hvac.Client], _T]) -> _T:
        """One request, with one fresh login when Vault refuses the token. Raises KekTrouble; `what` is for people."""
        with self._lock:
            try:
                self._enter(again=False)
                try:
                    return request(self._client)
                except (said.Forbidden, said.Unauthorized):
                    self._enter(again=True)
                return self._again(what, request)
            except (said.VaultError, OSError, KeyError, TypeError, ValueError) as error:
                raise KekTrouble(self._sentence(what, error)) from None

    def _again(self, what: str, request: Callable[[hvac.Client], _T]) -> _T:
        """With the fresh token. Raises KekTrouble: a token that has ended, or a policy that is too narrow."""
        try:
            return request(self._client)
        except (said.Forbidden, said.Unauthorized):
            try:
                self._client.auth.token.lookup_self()
            except (said.Forbidden, said.Unauthorized):
                why = "the token has ended or was revoked: give another as XGET_VAULT_TOKEN, or log in another way"
            else:
                why = "the login is good and its policy does not allow it: docs/operations/secrets.md has the policy"
            raise KekTrouble(f"Vault at {self.url} refuses to {what} (403): {why}.") from None

    def renew(self) -> None:
        """Prolong the token if it is time. Raises KekTrouble."""
        if time.monotonic() < self._renew_at:
            return
        answer = self.ask("renew its token", lambda client: client.auth.token.renew_self())
        with self._lock:
            self._plan(answer["auth"])

    def _enter(self, *, again: bool) -> None:
        if self._known and not again:
            return
        self._known = False
        self._client.token = ""
        self._plan(self._log_in(self._client))
        self._known = True

    def _plan(self, auth: Mapping[str, Any]) -> None:
        life = float(auth.get("lease_duration") or 0)
        self._renew_at = time.monotonic() + life * 2 / 3 if life else float("inf")

    def _sentence(self, what: str, error: Exception) -> str:
        """What Vault's answer means. Its own words are left out: they may quote what was sent."""
        where = f"Vault at {self.url}"
        match error:
            case said.VaultDown():
                return f"{where} is sealed or on standby: unseal it. It was asked to {what}."
            case said.Forbidden() | said.Unauthorized():
                return f"{where} refuses to {what} (403): its policy or the login is wrong, or the token has ended."
            case said.InvalidPath():
                return f"{where} knows nothing there (404) to {what}: correct XGET_VAULT_MOUNT and XGET_VAULT_PATH."
            case said.InvalidRequest():
                return f"{where} finds the request wrong (400) to {what}: correct the XGET_VAULT_ settings."
            case OSError():  # what requests raises
                return f"{where} does not answer: start it, or correct XGET_VAULT_URL."
        return f"{where} gives no usable answer when asked to {what}: is XGET_VAULT_URL a Vault?"
