"""Open mode: only for this machine, and not for a page of another site that a name was bent towards it."""

import asyncio
import socket
from pathlib import Path

import grpc
import httpx2 as httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from xget.account.v1 import account_pool_pb2 as accounts_pb
from xget.account.v1.account_pool_pb2_grpc import AccountPoolStub
from xget.proxy.v1 import proxy_pool_pb2 as proxies_pb
from xget.proxy.v1.proxy_pool_pb2_grpc import ProxyPoolStub
from xget.storage.v1 import item_reader_pb2 as items_pb
from xget.storage.v1.item_reader_pb2_grpc import ItemReaderStub
from xget_testing.node import Node, NotStarted, running_node

pytestmark = pytest.mark.slow
OFFSETS = (0, 1, 3, 4, 5, 6, 7)
PATHS = {1: "/api/v1/auth/me", 4: "/api/v1/accounts", 5: "/api/v1/proxies", 6: "/api/v1/quarantine", 7: "/api/v1/data"}
FOREIGN_HOSTS = (
    "evil.example",
    "evil.example:8000",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "192.168.0.10:8000",
    "0.0.0.0:8000",
    "127.0.0.1@evil.example",
    "[::ffff:10.0.0.1]:8000",
    "",
)
FOREIGN_ORIGINS = ("https://evil.example", "http://127.0.0.1.evil.example", "null", "file://", "http://user@127.0.0.1")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory):
    with running_node(tmp_path_factory.mktemp("open")) as running:
        yield running


def urls(node: Node) -> list[str]:
    """A guarded address on the gateway and on each service."""
    return [f"http://127.0.0.1:{node.base + n}{PATHS.get(n, '/api/v1/tasks')}" for n in OFFSETS]


@pytest.mark.parametrize("host", ["0.0.0.0", "example.org"])
def test_it_is_refused_on_addresses_that_others_reach(tmp_path: Path, host: str) -> None:
    node = Node(tmp_path)
    with pytest.raises(NotStarted) as said:
        node.start("--host", host)
    node.close()
    lines = str(said.value).strip().splitlines()
    assert len(lines) == 1
    assert "--open only works on a loopback address" in lines[0]
    assert node.process is None
    assert not node.home.exists()


def test_it_says_loudly_that_it_is_open(node: Node) -> None:
    assert "OPEN MODE" in (node.folder / "node.log").read_text()
    assert node.api("GET", "/auth/me")["username"] == "local"


def test_nothing_listens_beyond_loopback(node: Node) -> None:
    listening = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, port = address.rsplit(":", 1)
            if state == "0A" and int(port, 16) in {node.base + n + m for n in OFFSETS for m in (0, 1000)}:
                listening.add(host)
    assert listening
    assert {host[-8:] for host in listening} == {"0100007F"}  # 127.0.0.1, also in its IPv6 form


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_bent_name_reaches_neither_gateway_nor_services(node: Node, host: str) -> None:
    for url in urls(node):
        answer = raw(url, host)
        assert answer.startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 400 ")), (url, answer[:300])
        assert b"items" not in answer


def raw(url: str, *hosts: str) -> bytes:
    """The answer to a GET with exactly these Host headers."""
    parts = httpx.URL(url)
    head = "".join(f"Host: {host}\r\n" for host in hosts)
    with socket.create_connection((parts.host, parts.port), timeout=60) as wire:
        wire.sendall(f"GET {parts.path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: wire.recv(65536), b""))


def test_no_host_or_two_of_them_are_refused(node: Node) -> None:
    for url in urls(node):
        for hosts in ((), ("127.0.0.1", "evil.example")):
            assert raw(url, *hosts).startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 400 ")), (url, hosts)


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "127.0.0.2:8000", "[::1]:8000", "LOCALHOST"])
def test_names_of_this_machine_are_welcome(node: Node, host: str) -> None:
    for url in urls(node):
        assert node.http.get(url, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_page_of_another_site_is_refused_also_for_what_changes_nothing(node: Node, origin: str) -> None:
    before = node.api("GET", "/tasks")["total"]
    body = {"task_name": "theirs", "task_type": "USER_INFO", "parameters": {"username": "x"}}
    for url in urls(node):
        for method in ("GET", "POST", "OPTIONS"):
            answer = node.http.request(method, url, headers={"Origin": origin}, json=body if method == "POST" else None)
            assert answer.status_code == 403, (method, url)
            assert answer.headers["content-type"] == "application/problem+json"
            assert "access-control-allow-origin" not in answer.headers
    assert node.api("GET", "/tasks")["total"] == before


def test_a_form_of_another_site_cannot_post(node: Node) -> None:
    """What a browser sends without asking first: no JSON content type, so even a lost Origin leaves it harmless."""
    text = '{"task_name":"t","task_type":"USER_INFO","parameters":{"username":"x"}}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = node.http.post("/api/v1/tasks", content=text, headers={"Content-Type": kind})
        assert answer.status_code == 415, kind


def test_a_bad_token_is_not_taken_for_none(node: Node) -> None:
    for url in urls(node):
        for header in ("Bearer wrong", "Basic eDp5", "Bearer"):
            assert node.http.get(url, headers={"Authorization": header}).status_code == 401, (url, header)


CALLS = [
    (
        4,
        AccountPoolStub,
        "Acquire",
        accounts_pb.AcquireRequest(owner_id="local", platform="x", operation="o", holder="h"),
    ),
    (4, AccountPoolStub, "Describe", accounts_pb.DescribeRequest(owner_id="local", account_id="x")),
    (5, ProxyPoolStub, "Acquire", proxies_pb.AcquireRequest(owner_id="local")),
    (7, ItemReaderStub, "List", items_pb.ListRequest(owner_id="", task_id="x", limit=1)),
]


@pytest.mark.parametrize(
    ("offset", "stub", "method", "request_"), CALLS, ids=[f"{stub.__name__}.{method}" for _, stub, method, _ in CALLS]
)
async def test_internal_calls_need_the_internal_token(
    node: Node, offset: int, stub: type, method: str, request_: object
) -> None:
    token = (node.home / "internal.token").read_text().strip()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{node.base + 1000 + offset}") as channel:
        call = getattr(stub(channel), method)
        for metadata in ((), (("x-internal-token", "wrong"),), (("x-internal-token", ""),)):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(request_, metadata=metadata, timeout=60)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        known = await asyncio.gather(
            call(request_, metadata=(("x-internal-token", token),), timeout=60), return_exceptions=True
        )
        assert not isinstance(known[0], grpc.aio.AioRpcError) or known[0].code() is grpc.StatusCode.NOT_FOUND


async def test_health_of_internal_servers_is_no_secret(node: Node) -> None:
    async def ask(port: int) -> int:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=60)
            return int(answer.status)

    found = await asyncio.gather(*(ask(node.base + 1000 + offset) for offset in (4, 5, 7)))
    assert set(found) == {health_pb2.HealthCheckResponse.SERVING}
