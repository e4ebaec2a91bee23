"""A stand-in of HashiCorp Vault's HTTP API: KV v2, Transit, AppRole, Kubernetes login, tokens that end."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Json = dict[str, Any]


class _Refused(Exception):
    """Status and errors, as Vault says them."""

    def __init__(self, status: int, *said: str) -> None:
        super().__init__(status)
        self.status, self.said = status, list(said)


@dataclass
class Vault:
    """What it holds; tests change it while it serves."""

    url: str = ""
    sealed: bool = False
    kv: dict[str, Json] = field(default_factory=dict)
    """`mount/path` to its fields."""
    transit: dict[str, bytes] = field(default_factory=lambda: {"transit/xget": b"t" * 32})
    versions: dict[str, str] = field(default_factory=dict)
    """KV mounts whose version is told."""
    forbidden: set[str] = field(default_factory=set)
    """Paths that no policy allows."""
    approles: dict[str, str] = field(default_factory=lambda: {"role": "s3cret-id"})
    service_accounts: dict[str, str] = field(default_factory=lambda: {"xget": "a.pod.jwt"})
    tokens: set[str] = field(default_factory=lambda: {"root-token"})
    lease_seconds: int = 3600
    hold: Callable[[], object] = bool
    """Called before each answer, in the thread that gives it: what it waits for, the asker waits for."""
    asked: list[str] = field(default_factory=list)
    """Method and path of each request."""

    def end_tokens(self) -> None:
        """As when they run out."""
        self.tokens.clear()

    def answer(self, method: str, path: str, token: str, body: Json) -> Json:
        """Raises _Refused."""
        self.asked.append(f"{method} {path}")
        if self.sealed:
            raise _Refused(503, "Vault is sealed")
        match path.split("/"):
            case ["auth", "approle", "login"]:
                return self._login(self.approles.get(body.get("role_id", "")) == body.get("secret_id"))
            case ["auth", "kubernetes", "login"]:
                return self._login(self.service_accounts.get(body.get("role", "")) == body.get("jwt"))
        if token not in self.tokens or path in self.forbidden:
            raise _Refused(403, "permission denied")
        return self._known(token, path, body)

    def _known(self, token: str, path: str, body: Json) -> Json:
        match path.split("/"):
            case ["auth", "token", "lookup-self"]:
                return {"data": {"ttl": self.lease_seconds}}
            case ["auth", "token", "renew-self"]:
                return {"auth": {"client_token": token, "lease_duration": self.lease_seconds, "renewable": True}}
            case ["sys", "internal", "ui", "mounts", mount] if mount in self.versions:
                return {"data": {"type": "kv", "options": {"version": self.versions[mount]}}}
            case [mount, "data", *rest] if f"{mount}/{'/'.join(rest)}" in self.kv:
                return {"data": {"data": self.kv[f"{mount}/{'/'.join(rest)}"], "metadata": {"version": 1}}}
            case [mount, "encrypt" | "decrypt" as what, name] if f"{mount}/{name}" in self.transit:
                return {"data": self._transit(what, AESGCM(self.transit[f"{mount}/{name}"]), body)}
        raise _Refused(404)

    def _login(self, right: bool) -> Json:
        if not right:
            raise _Refused(400, "invalid role or secret ID")
        token = f"hvs.{secrets.token_hex(12)}"
        self.tokens.add(token)
        return {"auth": {"client_token": token, "lease_duration": self.lease_seconds, "renewable": True}}

    @staticmethod
    def _transit(what: str, cipher: AESGCM, body: Json) -> Json:
        bound = base64.b64decode(body.get("associated_data", ""))
        if what == "encrypt":
            nonce = secrets.token_bytes(12)
            raw = nonce + cipher.encrypt(nonce, base64.b64decode(body["plaintext"]), bound)
            return {"ciphertext": f"vault:v1:{base64.b64encode(raw).decode()}"}
        raw = base64.b64decode(body["ciphertext"].removeprefix("vault:v1:"))
        try:
            return {"plaintext": base64.b64encode(cipher.decrypt(raw[:12], raw[12:], bound)).decode()}
        except InvalidTag:
            raise _Refused(400, "cipher: message authentication failed") from None


@contextmanager
def running_vault(vault: Vault) -> Iterator[Vault]:
    """Serve it on a free port of the loopback; it may be entered again, on another port."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"{}")
            path = self.path.removeprefix("/v1/").partition("?")[0]
            vault.hold()
            try:
                status, said = 200, vault.answer(self.command, path, self.headers.get("X-Vault-Token", ""), body)
            except _Refused as refused:
                status, said = refused.status, {"errors": refused.said}
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815 - as the standard library calls them

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    vault.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield vault
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
