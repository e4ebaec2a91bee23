"""The generated gRPC code is what the protos say, and the protos keep the rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from xget.account.v1 import account_pool_pb2, account_pool_pb2_grpc
from xget.auth.v1 import user_directory_pb2, user_directory_pb2_grpc
from xget.proxy.v1 import proxy_pool_pb2, proxy_pool_pb2_grpc
from xget.storage.v1 import item_reader_pb2, item_reader_pb2_grpc

ROOT = Path(__file__).resolve().parents[3]


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the tree."""
    command = [sys.executable, str(ROOT / "scripts" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_generated_code_is_current() -> None:
    done = run("gen_protos.py", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_protos_are_linted_and_compatible_with_main() -> None:
    done = run("lint_protos.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_first_release_has_nothing_to_break() -> None:
    done = run("lint_protos.py", "--against", "no-such-revision")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "first release" in done.stdout


@pytest.mark.parametrize(
    ("service", "stub", "methods"),
    [
        (
            account_pool_pb2.DESCRIPTOR.services_by_name["AccountPool"],
            account_pool_pb2_grpc.AccountPoolServicer,
            ["Acquire", "Report", "Renew", "Release", "KeepApi", "Describe", "Budget"],
        ),
        (
            user_directory_pb2.DESCRIPTOR.services_by_name["UserDirectory"],
            user_directory_pb2_grpc.UserDirectoryServicer,
            ["Describe"],
        ),
        (
            proxy_pool_pb2.DESCRIPTOR.services_by_name["ProxyPool"],
            proxy_pool_pb2_grpc.ProxyPoolServicer,
            ["Acquire", "Report", "Release", "Describe"],
        ),
        (
            item_reader_pb2.DESCRIPTOR.services_by_name["ItemReader"],
            item_reader_pb2_grpc.ItemReaderServicer,
            ["List", "Stream", "Search"],
        ),
    ],
    ids=["account", "auth", "proxy", "storage"],
)
def test_services_offer_their_methods(service: object, stub: type, methods: list[str]) -> None:
    assert [method.name for method in service.methods] == methods  # type: ignore[attr-defined] # protobuf descriptor
    assert all(hasattr(stub, method) for method in methods)


def test_a_message_survives_the_wire() -> None:
    lease = account_pool_pb2.Lease(lease_id="7", fencing_token=2**40, cookies={"ct0": "键"})
    assert account_pool_pb2.Lease.FromString(lease.SerializeToString()) == lease
