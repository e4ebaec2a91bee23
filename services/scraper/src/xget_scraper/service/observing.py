"""Seeing posts again as they grow older: which, when, by whom, and what follows from what was seen.

A post comes under observation with the checkpoint of the page that it was found on, is given to an execution in the
transaction that makes the execution, and is put off to its next age with the checkpoint that ends the look: whatever
dies between two of these, the next one begins where the last was committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from xget_scraper.models import SOUND, Execution, ExecutionTarget
from xget_scraper.models.curves import next_due, seconds
from xget_scraper.repository import Unit
from xget_scraper.service.jobs import Job
from xget_sources.ports import RawPage

NOT_SHOWN: Final = frozenset({"not_found", "protected", "suspended", "unavailable"})
"""How a look ends that finds a stand-in: it was a look all the same."""
GONE: Final = "not_found"


async def note_page(unit: Unit, job: Job, page: RawPage, picked: Sequence[str]) -> None:
    """A page is being checkpointed: observe its matches, or follow the post that it shows under a newer key."""
    if job.again:
        row = await unit.observations.of_target(job.execution_id, job.target) if picked else None
        if row is not None and row.key != picked[-1]:
            await unit.observations.rename(row, picked[-1])
        return
    seen, found = seconds(page.fetched_at), dict[str, tuple[int, int]]()
    for key in picked if job.ages else ():
        if (at := page.written_at.get(key)) is not None and (due := next_due(seconds(at), job.ages, seen)) is not None:
            found[key] = seconds(at), due
    await unit.observations.note(job.task_id, found)


async def target_ended(unit: Unit, execution: Execution, target: ExecutionTarget, now: datetime) -> None:
    """A look is over: the post is due at its next age, or observed no more. A look that failed is tried again."""
    reason = str(target.end_reason)
    if execution.lookup is None or (reason not in SOUND and reason not in NOT_SHOWN):
        return
    task = await unit.tasks.lock(execution.task_id)
    row = await unit.observations.of_target(execution.id, target.n)
    if row is None or task is None:
        return
    due = next_due(row.born, task.reobserve or (), seconds(now))
    if due is None or reason == GONE:
        await unit.observations.end(row)
        return
    row.due, row.execution_id, row.target = due, None, None
    row.hidden = reason if reason in NOT_SHOWN else None


async def execution_ended(unit: Unit, execution: Execution, reason: str, now: datetime) -> None:
    """An execution collects no more: whoever stops a task wants nothing of it to be observed."""
    if execution.lookup is not None:
        await unit.observations.release(execution.id, seconds(now))
    elif reason == "cancelled":
        await unit.observations.drop(execution.task_id)


def as_looks(execution: Execution, reasons: Sequence[str]) -> Sequence[str]:
    """End reasons of an execution's targets: for one that looks again, to find a post gone is an answer too."""
    if execution.lookup is None:
        return reasons
    return ["exhausted" if reason in NOT_SHOWN else reason for reason in reasons]
