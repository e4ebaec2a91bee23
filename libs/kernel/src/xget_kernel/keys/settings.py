"""Where the keys come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from xget_kernel.errors import StartupError
from xget_kernel.keys.kek import Kek, KekTrouble, LocalKek
from xget_kernel.keys.opened import Keys
from xget_kernel.keys.places import InFile
from xget_kernel.keys.store import KeyStore
from xget_kernel.secrets import Keyring, Secret, keys_of
from xget_kernel.settings import ServiceSettings

if TYPE_CHECKING:
    from xget_kernel.keys import vault_session


class KeySettings(ServiceSettings):
    """Settings of a service that keeps secrets (docs/operations/secrets.md)."""

    keys: Secret | None = None
    """Encryption keys as `id:base64`, comma-separated, newest last; by default those of the key file."""
    keys_file: Path | None = None
    """The key file; by default `<home>/keys.json`."""
    kek: Secret | None = None
    """Key-encryption keys as `id:base64`, comma-separated, newest last."""
    kek_file: Path | None = None
    """A file with the same."""
    vault_url: str | None = Field(None, pattern=r"^https?://[^@\s]+$")
    """HashiCorp Vault, without credentials."""
    vault_engine: Literal["kv", "transit"] = "kv"
    """`kv` reads the key-encryption key from a KV v2 secret, `transit` has Vault wrap."""
    vault_mount: str | None = None
    """Mount of that engine: by default `secret` or `transit`."""
    vault_path: str = "xget"
    """Path of the secret, or name of the Transit key."""
    vault_field: str = "kek"
    """Field of the secret."""
    vault_token: Secret | None = None
    """Login with a token."""
    vault_role_id: str | None = None
    """Login with an AppRole."""
    vault_secret_id: Secret | None = None
    """The AppRole's secret."""
    vault_kubernetes_role: str | None = None
    """Login with the pod's service account."""
    vault_jwt_file: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
    """The pod's service account token."""
    vault_login_mount: str | None = None
    """Mount of the login: by default `approle` or `kubernetes`."""
    vault_namespace: str | None = None
    """Namespace of Vault Enterprise."""
    vault_ca_file: Path | None = None
    """Authorities that Vault's certificate is checked against."""

    def open_keys(self) -> Keys:
        """The keys of XGET_KEYS or the key file, made at the first start. Waits for Vault: call it in a thread.

        Raises StartupError. Where `in_table`, `xget_db.data_keys.opened_in` opens those of the tables.
        """
        if self.keys:
            return Keys(Keyring.from_env(self.keys.reveal()))
        store = KeyStore(self.keys_path, self.kek_chosen())
        return Keys(store.open(), InFile(store))

    @property
    def keys_path(self) -> Path:
        """The key file."""
        return self.keys_file or self.home / "keys.json"

    @property
    def in_table(self) -> bool:
        """Whether the keys lie in the service's tables: on PostgreSQL, and never in plain text there."""
        wrapped = self.kek or self.kek_file or self.vault_url
        return self.is_real("tables") and bool(wrapped) and not self.keys and not self.keys_file

    def keyring(self) -> Keyring:
        """As `open_keys`, for a process that does not keep up with a Vault (`Keys.following`)."""
        return self.open_keys().ring

    def kek_chosen(self) -> Kek | None:
        """The key-encryption key, if there is one. Waits for Vault: call it in a thread. Raises StartupError."""
        try:
            return self._kek()
        except KekTrouble as error:
            raise StartupError(str(error)) from error

    def _kek(self) -> Kek | None:
        given = [
            n for n, value in (("KEK", self.kek), ("KEK_FILE", self.kek_file), ("VAULT_URL", self.vault_url)) if value
        ]
        if len(given) > 1:
            names = " and ".join(f"XGET_{name}" for name in given)
            raise StartupError(
                f"{names} are both set, and the key-encryption key comes from one place: unset the others."
            )
        if self.kek:
            return LocalKek(keys_of(self.kek.reveal(), "XGET_KEK"), "XGET_KEK")
        if self.kek_file:
            return LocalKek(keys_of(_text(self.kek_file), "XGET_KEK_FILE"), "XGET_KEK_FILE")
        return self._vault(self.vault_url) if self.vault_url else None

    def _vault(self, url: str) -> Kek:
        from xget_kernel.keys import hashicorp, vault_session  # noqa: PLC0415 - 15 MB for who has a Vault

        session = vault_session.VaultSession(url, self._login(), namespace=self.vault_namespace, ca=self.vault_ca_file)
        if self.vault_engine == "transit":
            return hashicorp.TransitKek(session, self.vault_mount or "transit", self.vault_path)
        return hashicorp.VaultKek(session, self.vault_mount or "secret", self.vault_path, self.vault_field)

    def _login(self) -> vault_session.Login:
        from xget_kernel.keys import vault_session  # noqa: PLC0415 - as above

        if self.vault_token:
            return vault_session.by_token(self.vault_token)
        if self.vault_role_id and self.vault_secret_id:
            return vault_session.by_approle(
                self.vault_role_id, self.vault_secret_id, self.vault_login_mount or "approle"
            )
        if self.vault_kubernetes_role:
            mount = self.vault_login_mount or "kubernetes"
            return vault_session.by_kubernetes(self.vault_kubernetes_role, self.vault_jwt_file, mount)
        raise StartupError(
            "XGET_VAULT_URL is set without a login: add XGET_VAULT_TOKEN, XGET_VAULT_ROLE_ID with "
            "XGET_VAULT_SECRET_ID, or XGET_VAULT_KUBERNETES_ROLE."
        )


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError as error:
        raise StartupError(
            f"XGET_KEK_FILE {path} cannot be read ({error.strerror}): mount it, or correct it."
        ) from error
    except UnicodeDecodeError:
        raise StartupError(f"XGET_KEK_FILE {path} holds something that is no key: write `id:base64`.") from None
