"""HashiCorp Vault: a key-encryption key that is read from it (KV v2), or that never leaves it (Transit)."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol, TypeVar

import hvac
from hvac import exceptions as said

from xget_kernel.errors import StartupError
from xget_kernel.keys.kek import KekTrouble, LocalKek
from xget_kernel.secrets import Secret, keys_of

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
                    return request(self._client)
            except (said.VaultError, OSError, KeyError, TypeError, ValueError) as error:
                raise KekTrouble(self._sentence(what, error)) from None

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


class VaultKek(LocalKek):
    """Key-encryption keys that lie in a field of a KV v2 secret as `id:base64`; they are kept in memory."""

    elsewhere = True

    def __init__(self, session: VaultSession, mount: str, path: str, field: str) -> None:
        self._session, self._mount, self._path, self._field = session, mount, path, field
        super().__init__(self._fetch(), self._place)

    @property
    def _place(self) -> str:
        return f"the field {self._field} of {self._mount}/{self._path} in Vault"

    def unwrap(self, key_id: str, token: str) -> bytes:
        kind, name, *_ = (*token.split(":"), "")
        if kind == "kek" and name not in self._ciphers:
            self.refresh()
        return super().unwrap(key_id, token)

    def refresh(self) -> None:
        self._session.renew()
        self.put(self._fetch())

    def _fetch(self) -> dict[str, bytes]:
        def read(client: hvac.Client) -> dict[str, Any]:
            found = client.secrets.kv.v2.read_secret_version(
                path=self._path, mount_point=self._mount, raise_on_deleted_version=True
            )
            return dict(found["data"]["data"])

        fields = self._session.ask(f"read {self._mount}/{self._path}", read)
        text = fields.get(self._field)
        if not isinstance(text, str) or not text.strip():
            raise KekTrouble(f"Vault has no {self._place[4:]}: write `{self._field}=id:base64` there.")
        try:
            return keys_of(text, self._place)
        except StartupError as error:
            raise KekTrouble(str(error)) from None


class TransitKek:
    """A key of Vault's Transit engine: data keys go there to be wrapped and unwrapped."""

    remote = True
    elsewhere = True

    def __init__(self, session: VaultSession, mount: str, key: str) -> None:
        self._session, self._mount, self._key = session, mount, key

    @property
    def name(self) -> str:
        return f"transit:{self._key}"

    def wrap(self, key_id: str, key: bytes) -> str:
        plain = base64.b64encode(key).decode("ascii")

        def encrypt(client: hvac.Client) -> str:
            transit = client.secrets.transit
            answer = transit.encrypt_data(
                name=self._key, plaintext=plain, associated_data=_context(key_id), mount_point=self._mount
            )
            return str(answer["data"]["ciphertext"])

        return f"{self.name}:{self._session.ask(f'wrap with {self._mount}/{self._key}', encrypt)}"

    def unwrap(self, key_id: str, token: str) -> bytes:
        if self.wrapped_by(token) != self.name:
            raise KekTrouble(
                f"The key {key_id} was wrapped by {self.wrapped_by(token)}, and Vault's {self.name} is chosen: give "
                "the setting back that it was wrapped with."
            )
        ciphertext = token.split(":", 2)[2]

        def decrypt(client: hvac.Client) -> bytes:
            transit = client.secrets.transit
            answer = transit.decrypt_data(
                name=self._key, ciphertext=ciphertext, associated_data=_context(key_id), mount_point=self._mount
            )
            return base64.b64decode(answer["data"]["plaintext"], validate=True)

        return self._session.ask(f"unwrap with {self._mount}/{self._key}", decrypt)

    def wrapped_by(self, token: str) -> str:
        return ":".join(token.split(":", 2)[:2])

    def refresh(self) -> None:
        self._session.renew()


def _context(key_id: str) -> str:
    return base64.b64encode(f"data-key:{key_id}".encode()).decode("ascii")
