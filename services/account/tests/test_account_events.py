"""What becomes of accounts is announced by whichever process changed them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2 as httpx
from fastapi import FastAPI

from xget.account.v1 import account_pool_pb2 as pb
from xget_account.settings import Settings
from xget_account.worker import create_worker
from xget_contracts.events import ACCOUNT_EVENTS, AccountChanged
from xget_events.codec import decode
from xget_kernel.clock import ManualClock


async def lease_of(pool: Any, **fields: Any) -> pb.Lease:
    wish = {"owner_id": "ada", "platform": "x", "operation": "SearchTimeline", "holder": "run-1"}
    return (await pool.Acquire(pb.AcquireRequest(**(wish | fields)))).lease


async def test_an_account_that_is_refused_is_announced_once(app: FastAPI, pool: Any, add_account: Any) -> None:
    made = await add_account("grace")
    lease = await lease_of(pool)
    report = {"lease_id": lease.lease_id, "fencing_token": lease.fencing_token, "operation": "SearchTimeline"}
    for _ in range(2):
        await pool.Report(pb.ReportRequest(**report, status=401, error_codes=[32], body_kind="json"))
    async with app.state.events.consumer("trial", [ACCOUNT_EVENTS]) as consumer, asyncio.timeout(60):
        records = []
        while len(records) < 2:
            records += await consumer.poll(timeout=0.5)
    changes = [decode(record, AccountChanged) for record in records]
    assert [(one.account_id, one.kind, one.from_state, one.to_state) for one in changes] == [
        (made["id"], "room", "NEW", "NEW"),
        (made["id"], "state_changed", "NEW", "NEEDS_LOGIN"),
    ]
    assert (changes[1].next_step, changes[1].owner_id) == ("import_cookies", "ada")
    assert "error 32" in changes[1].reason


async def test_room_is_announced_once_for_all_accounts_of_a_change(
    app: FastAPI, client: httpx.AsyncClient, add_account: Any
) -> None:
    await client.post("/api/v1/accounts/import", json={"text": "a:p\nb:p\nc:p"})
    off = await add_account("off", active=False)
    lines = "\n".join(f"name{n}:pw:mail{n}@example.com:mp:auth_token=a{n}; ct0=c{n}" for n in range(3))
    body = {"text": lines, "line_format": "username:password:email:email_password:cookies"}
    assert (await client.post("/api/v1/accounts/import", json=body)).json()["created"] == 3
    await client.put(f"/api/v1/accounts/{off['id']}", json={"active": True})
    async with app.state.events.consumer("trial", [ACCOUNT_EVENTS]) as consumer, asyncio.timeout(60):
        records = []
        while len(records) < 2:
            records += await consumer.poll(timeout=0.5)
        records += await consumer.poll(timeout=0.5)
    told = [decode(record, AccountChanged) for record in records]
    rooms = sorted(fact.reason for fact in told if fact.kind == "room")
    assert rooms == ["It and 2 more can work.", "It can work."]


async def test_the_worker_begins_and_ends(settings: Settings, app: FastAPI, client: httpx.AsyncClient) -> None:
    worker = create_worker(settings, log=app.state.events, clock=ManualClock())
    stop = asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        await worker.begun.wait()
        stop.set()
    assert worker.degraded() == {}


async def test_an_unknown_answer_is_announced_and_kept_without_values(
    app: FastAPI, client: httpx.AsyncClient, pool: Any, add_account: Any
) -> None:
    made = await add_account("grace")
    lease = await lease_of(pool)
    report = pb.ReportRequest(
        lease_id=lease.lease_id,
        fencing_token=lease.fencing_token,
        operation="SearchTimeline",
        status=418,
        error_codes=[9999],
        body_kind="json",
        limit=-1,
        remaining=-1,
        error_text="Hello @grace, see https://x.com/grace?auth_token=abc and call 123456",
        outline='{errors:[{message:text}]}"<script>',
    )
    said = await pool.Report(report)
    assert (said.verdict, said.action, said.rule) == ("rest", "rest", "unknown")
    async with app.state.events.consumer("trial", [ACCOUNT_EVENTS]) as consumer, asyncio.timeout(60):
        records = []
        while len(records) < 2:
            records += await consumer.poll(timeout=0.5)
    told = [decode(record, AccountChanged) for record in records][1:]
    assert [(one.kind, one.account_id) for one in told] == [("unknown_answer", made["id"])]
    kept = (await client.get("/api/v1/accounts/samples")).json()["items"]
    assert kept[0]["id"] in told[0].reason
    assert kept[0]["answer"] == {
        "error_codes": [9999],
        "message": "Hello … see … and call …",
        "outline": "{errors:[{message:text}]}<script>",
    }
    state = (await client.get(f"/api/v1/accounts/{made['id']}/status")).json()
    assert (state["state"], state["next_step"]) == ("RESTING", "wait")
