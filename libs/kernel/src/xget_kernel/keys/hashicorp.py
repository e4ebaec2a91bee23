"""HashiCorp Vault: a key-encryption key that is read from it (KV v2), or that never leaves it (Transit)."""

from __future__ import annotations

import base64
from typing import Any

import hvac

from xget_kernel.errors import StartupError
from xget_kernel.keys.kek import KekTrouble, LocalKek
from xget_kernel.keys.vault_session import VaultSession
from xget_kernel.secrets import keys_of


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

        try:
            fields = self._session.ask(f"read {self._mount}/{self._path}", read)
        except KekTrouble:
            self._refuse_version_1()
            raise
        text = fields.get(self._field)
        if not isinstance(text, str) or not text.strip():
            raise KekTrouble(f"Vault has no {self._place[4:]}: write `{self._field}=id:base64` there.")
        try:
            return keys_of(text, self._place)
        except StartupError as error:
            raise KekTrouble(str(error)) from None

    def _refuse_version_1(self) -> None:
        """Raises KekTrouble when the mount is of the old kind, as far as Vault tells."""

        def version(client: hvac.Client) -> object:
            found: Any = client.read(f"sys/internal/ui/mounts/{self._mount}") or {}
            return ((found.get("data") or {}).get("options") or {}).get("version")

        try:
            old = str(self._session.ask("tell its mounts", version)) == "1"
        except KekTrouble:
            return
        if old:
            raise KekTrouble(
                f"The mount {self._mount} in Vault is of KV version 1, and version 2 is needed: run `vault kv "
                f"enable-versioning {self._mount}`, or set XGET_VAULT_MOUNT to one of version 2."
            )


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
