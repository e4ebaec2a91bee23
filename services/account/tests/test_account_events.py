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
    async with app.state.events.consumer("trial", [ACCOUNT_EVENTS]) as consumer, asyncio.timeout(10):
        records = []
        while not records:
            records = await consumer.poll(timeout=0.5)
    changes = [decode(record, AccountChanged) for record in records]
    assert [(one.account_id, one.kind, one.from_state, one.to_state) for one in changes] == [
        (made["id"], "state_changed", "NEW", "NEEDS_LOGIN")
    ]
    assert (changes[0].next_step, changes[0].owner_id) == ("import_cookies", "ada")
    assert "error 32" in changes[0].reason


async def test_the_worker_begins_and_ends(settings: Settings, app: FastAPI, client: httpx.AsyncClient) -> None:
    worker = create_worker(settings, log=app.state.events, clock=ManualClock())
    stop = asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        await worker.begun.wait()
        stop.set()
    assert worker.degraded() == {}
