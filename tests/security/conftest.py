"""One node without open mode for all trials of identity: closed first, then open; Alice owns one of everything."""

import asyncio
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from xget_contracts.events import PageCollected
from xget_testing.node import Node, Sandbox, running_sandbox
from xget_testing.otlp import OtlpReceiver, otlp_receiver
from xget_testing.people import Person, Town
from xget_testing.planted import PROVIDER, Planted
from xget_testing.publishing import publish
from xget_testing.waiting import eventually

WORLD = ("--posts", "600")


@pytest.fixture(scope="session")
def traces() -> Iterator[OtlpReceiver]:
    """Where the node sends its traces, each database statement included."""
    with otlp_receiver() as found:
        yield found


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory, traces: OtlpReceiver) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with running_sandbox(folder / "sandbox", *WORLD) as sandbox, settled(folder, sandbox, traces.env) as people:
        belong(people, sandbox)
        yield people


@contextmanager
def settled(folder: Path, sandbox: Sandbox, env: Mapping[str, str]) -> Iterator[Town]:
    """A node whose first start was with registration closed; everybody is logged in."""
    node = Node(folder, sandbox, open_mode=False)
    node.env.update(env, XGET_PROXY_PROVIDER_HOSTS=PROVIDER)
    url = f"http://127.0.0.1:{node.base}"
    admin, alice, bob = (Person(url, name, f"{secrets.token_hex(12)} of {name}") for name in ("root", "alice", "bob"))
    try:
        node.start(XGET_REGISTRATION="closed")
        assert admin.register().status_code == 201
        refusal = alice.register()
        node.stop()
        node.start("--log-level", "debug", XGET_TRACE_OPERATIONS="1")
        for person in (alice, bob):
            assert person.register().status_code == 201
        people = Town(node=node, admin=admin, alice=alice, bob=bob, first_refusal=refusal)
        for person in (admin, alice, bob):
            person.login()
        yield people
    finally:
        for person in (admin, alice, bob):
            person.close()
        node.close()


def belong(town: Town, sandbox: Sandbox) -> None:
    """Let Alice bring an account and a proxy, collect, and have a record in quarantine."""
    alice, owned = town.alice, town.owned
    town.secrets |= {
        "auth_token": secrets.token_hex(20),
        "ct0": secrets.token_hex(80),
        "proxy password": secrets.token_hex(12),
        "account password": secrets.token_hex(12),
        "totp": "JBSWY3DPEHPK3PXP",
    }
    body = {"text": f"auth_token={town.secrets['auth_token']}; ct0={town.secrets['ct0']}", "username": "collector"}
    owned["account"] = alice.api("POST", "/accounts/import", json=body)["lines"][0]["account_id"]
    more = {"password": town.secrets["account password"], "totp": town.secrets["totp"]}
    alice.api("PUT", f"/accounts/{owned['account']}", json=more)
    proxy = sandbox.proxy.replace("//", f"//someone:{town.secrets['proxy password']}@")
    alice.api("POST", "/proxies/import", json={"text": proxy})
    owned["proxy"] = alice.api("GET", "/proxies")["items"][0]["id"]
    parameters = {"query": "AI OR 人工智能", "limit": 30}
    task = {"task_name": "hers", "task_type": "KEYWORD_SEARCH", "parameters": parameters}
    owned["task"] = alice.api("POST", "/tasks", json=task)["id"]
    assert alice.settled(owned["task"])["status"] == "COMPLETED"
    town.seen = sandbox.log()
    eventually(lambda: alice.api("GET", "/data/search?q=AI&size=1")["next_cursor"])  # search has it a little later
    owned["execution"] = alice.api("GET", f"/task-executions/task/{owned['task']}")["items"][0]["id"]
    owned["item"] = alice.api("GET", f"/tasks/{owned['task']}/results")["items"][0]["key"]
    planted = Planted()
    planted.plant(town.admin)
    town.secrets |= planted.secrets
    owned["kept"], owned["api"], _ = planted.accounts


@pytest.fixture(scope="session")
def quarantined(town: Town) -> str:
    """Id of a record of Alice's that no parser can read: a page that X never sent, put into the log."""
    body = b'{"data": {"surprise": '
    page = PageCollected(
        execution_id=town.owned["execution"],
        task_id=town.owned["task"],
        owner_id=town.alice.id,
        page_no=99,
        platform="x",
        route="x",
        task_type="KEYWORD_SEARCH",
        operation="SearchTimeline",
        fetched_at=datetime.now(UTC),
        sha256=hashlib.sha256(body).hexdigest(),
        body_zstd=zstandard.compress(body),
    )
    asyncio.run(publish(town.node.home / "events.db", page))
    eventually(lambda: town.alice.api("GET", "/quarantine")["total"])
    found: str = town.alice.api("GET", "/quarantine")["items"][0]["id"]
    return found
