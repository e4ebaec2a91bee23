"""kill -9 during imports, rotations, leases and reports: nothing lost, no half row, no secret in any file.

`make soak` dies more often, over more accounts (XGET_SOAK=1).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import re
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGABRT, SIGKILL

import pytest

from xget.account.v1 import account_pool_pb2 as pb
from xget.account.v1.account_pool_pb2_grpc import AccountPoolStub
from xget_kernel.errors import XGetError
from xget_kernel.secrets import Secret
from xget_rpc.client import RpcChannel
from xget_testing.byte_search import found_in_files
from xget_testing.node import XGET, Node
from xget_testing.waiting import eventually

pytestmark = pytest.mark.slow
SOAK = os.environ.get("XGET_SOAK") == "1"
ACCOUNTS, DEATHS = (100_000, 12) if SOAK else (2000, 2)
RANDOM = random.Random(8)
FORMAT = "username:password:email:email_password:totp:cookies"


class Planted:
    """What must be found nowhere, by name."""

    def __init__(self) -> None:
        self.by_name = {
            name: f"{secrets.token_urlsafe(18)}~{name.replace(' ', '-')}"
            for name in ("password", "e-mail password", "totp", "cookie", "proxy password", "second password")
        }
        self.by_name["totp"] = base64.b32encode(secrets.token_bytes(20)).decode()
        self.kek = secrets.token_bytes(32)

    @property
    def all(self) -> dict[str, str]:
        return {**self.by_name, "KEK": base64.b64encode(self.kek).decode().rstrip("=")}

    def line(self, n: int) -> str:
        one = self.by_name
        cookies = f"auth_token={one['cookie']}{n}; ct0={n:032x}"
        return f"user{n}:{one['password']}{n}:u{n}@e.x:{one['e-mail password']}:{one['totp']}:{cookies}"


class Lessee(threading.Thread):
    """Leases accounts and reports, whatever happens to the node, and keeps what it was given."""

    def __init__(self, node: Node, planted: Planted) -> None:
        super().__init__(daemon=True)
        self._node, self._planted = node, planted
        self._done = threading.Event()
        self.leased = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        asyncio.run(self._work())

    def end(self) -> None:
        self._done.set()
        self.join(60)

    async def _work(self) -> None:
        while not self._done.is_set():
            with contextlib.suppress(XGetError, OSError):
                await self._lease()
            await asyncio.sleep(0.02)

    async def _lease(self) -> None:
        token = Secret((self._node.home / "internal.token").read_text().strip())
        channel = RpcChannel(f"127.0.0.1:{self._node.base + 1004}", token)
        try:
            pool = channel.stub(AccountPoolStub)
            while not self._done.is_set():
                wish = pb.AcquireRequest(owner_id="local", platform="x", operation="SearchTimeline", holder="h")
                given = (await pool.Acquire(wish, timeout=10)).lease
                if not given.cookies["auth_token"].startswith(self._planted.by_name["cookie"]):
                    self.wrong.append(given.account_id)
                held = {"lease_id": given.lease_id, "fencing_token": given.fencing_token}
                failed = self.leased % 7 == 6
                report = pb.ReportRequest(**held, operation="SearchTimeline", status=503 if failed else 200)
                report.body_kind = "html" if failed else "json"
                await pool.Report(report, timeout=10)
                await pool.Release(pb.ReleaseRequest(**held), timeout=10)
                self.leased += 1
        finally:
            await channel.close()


@pytest.fixture
def node(tmp_path: Path, planted: Planted) -> Iterator[Node]:
    node = Node(tmp_path)
    node.env["XGET_KEK"] = f"k1:{base64.b64encode(planted.kek).decode()}"
    try:
        start(node)
        yield node
    finally:
        node.close()


@pytest.fixture
def planted() -> Planted:
    return Planted()


def start(node: Node) -> None:
    node.start("--log-level", "debug")


def die(node: Node, how: int = SIGKILL) -> None:
    assert node.process is not None
    node.process.child.send_signal(how)
    node.process.wait(60)


def xget(node: Node, *words: str) -> subprocess.Popen[bytes]:
    command = [XGET, *words, "--url", node.url]
    return subprocess.Popen(command, env=node.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def ended(running: subprocess.Popen[bytes], seconds: float = 600) -> tuple[int, str]:
    out, _ = running.communicate(timeout=seconds)
    return running.returncode, out.decode()


def die_during(node: Node, *words: str, after: tuple[float, float]) -> None:
    """Begin a command, kill the node at some moment of it, and start the node again."""
    running = xget(node, *words)
    time.sleep(RANDOM.uniform(*after))
    die(node)
    ended(running)
    start(node)


def test_nothing_is_lost_halved_or_shown_when_it_is_killed_under_way(
    tmp_path: Path, node: Node, planted: Planted
) -> None:
    file = tmp_path / "given" / "accounts.txt"
    file.parent.mkdir()
    file.write_text("\n".join(planted.line(n) for n in range(ACCOUNTS)))
    import_ = ("accounts", "import", str(file), "--format", FORMAT)
    for _ in range(DEATHS // 2):
        die_during(node, *import_, after=(0.8, 2.0) if not SOAK else (1, 15))
    code, told = ended(xget(node, *import_))
    assert code == 0, told[-2000:]
    assert node.api("GET", "/accounts", params={"size": 1})["total"] == ACCOUNTS
    assert " conflict" not in told.splitlines()[-1]
    node.add_proxy(f"http://someone:{planted.by_name['proxy password']}@proxy.example:3128")
    assert "conflict" in mistaken(node, planted)

    lessee = Lessee(node, planted)
    lessee.start()
    for _ in range(DEATHS):
        die_during(node, "keys", "rotate", after=(0.7, 2.5) if not SOAK else (1, 40))
    eventually(lambda: lessee.leased > 20)  # while some rows are of the old key and some of the new one
    code, told = ended(xget(node, "keys", "rotate"))
    lessee.end()
    assert code == 0, told
    code, told = ended(xget(node, "keys", "verify"))
    assert code == 0, told
    assert f"{5 * ACCOUNTS - ACCOUNTS + 2} of {5 * ACCOUNTS - ACCOUNTS + 2} are of the key" in told
    assert lessee.wrong == []

    places, own = [node.home, tmp_path], frozenset({"accounts.txt"})
    assert found_in_files(places, planted.all, but=own) == {}, "while it runs"
    assert found_in_files([file.parent], planted.all, but=frozenset()), "and it would be found"
    assert node.process is not None
    limits = Path(f"/proc/{node.process.child.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 ", limits), "a core would hold the keys"
    die(node, SIGABRT)
    assert found_in_files(places, planted.all, but=own) == {}, "after it crashed"
    assert not list(tmp_path.rglob("core*"))


def mistaken(node: Node, planted: Planted) -> str:
    """Send secrets where they are refused; what was answered."""
    one = planted.by_name
    said = ""
    bodies = [
        ("/accounts/import", {"text": planted.line(1).replace(one["password"], one["second password"])}),
        ("/accounts", {"username": "x" * 100, "password": one["password"]}),
        ("/accounts/import", {"text": planted.line(2), "line_format": f"username:{one['password']}"}),
        ("/proxies", {"type": "http", "ip": "h", "port": 0, "password": one["proxy password"]}),
        ("/auth/login", {"username": "someone", "password": one["password"]}),
        (f"/accounts/{one['cookie']}", {}),
    ]
    for path, body in bodies:
        options = {"line_format": FORMAT} if path == "/accounts/import" and "line_format" not in body else {}
        answer = node.http.post(f"/api/v1{path}", json={**body, **options})
        said += answer.text
    return said
