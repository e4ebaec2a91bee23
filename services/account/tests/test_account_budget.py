"""What accounts have left for an operation, told without leasing any."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from xget.account.v1 import account_pool_pb2 as pb
from xget_kernel.clock import ManualClock


def asked(**fields: Any) -> pb.BudgetRequest:
    return pb.BudgetRequest(**{"owner_id": "ada", "platform": "x", "operation": "Search", **fields})


def told(left: pb.BudgetResponse) -> tuple[int, int, int, int]:
    return left.accounts, left.known, left.limit, left.remaining


async def use(pool: Any, clock: ManualClock, account_id: str, remaining: int) -> None:
    wish = pb.AcquireRequest(
        owner_id="ada", platform="x", operation="Search", holder=f"run-{account_id}", account_id=account_id
    )
    lease = (await pool.Acquire(wish)).lease
    report = pb.ReportRequest(
        lease_id=lease.lease_id,
        fencing_token=lease.fencing_token,
        operation="Search",
        status=200,
        body_kind="json",
        limit=50,
        remaining=remaining,
    )
    report.reset_at.FromDatetime(clock.now() + timedelta(minutes=15))
    await pool.Report(report)
    await pool.Release(pb.ReleaseRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token))


async def test_an_account_that_never_asked_is_counted_but_its_limit_is_not_known(pool: Any, add_account: Any) -> None:
    assert told(await pool.Budget(asked())) == (0, 0, 0, 0)
    await add_account("neo")
    left = await pool.Budget(asked())
    assert told(left) == (1, 0, 0, 0)
    assert left.today > 0
    assert left.window_seconds == 900


async def test_answers_of_the_platform_tell_what_is_left(pool: Any, add_account: Any, clock: ManualClock) -> None:
    neo, trinity = await add_account("neo"), await add_account("trinity")
    before = (await pool.Budget(asked())).today
    await use(pool, clock, neo["id"], 40)
    await use(pool, clock, trinity["id"], 10)
    left = await pool.Budget(asked())
    assert told(left) == (2, 2, 100, 50)
    assert left.today == before - 2
    assert told(await pool.Budget(asked(account_id=neo["id"]))) == (1, 1, 50, 40)
    assert told(await pool.Budget(asked(operation="Other"))) == (2, 0, 0, 0)
    assert told(await pool.Budget(asked(owner_id="eve"))) == (0, 0, 0, 0)
    clock.advance(901)
    assert told(await pool.Budget(asked())) == (2, 2, 100, 100)
