"""What the scraper hears."""

from __future__ import annotations

from collections.abc import Callable

from xget_contracts.events import AccountChanged, PageStored
from xget_events.codec import decode
from xget_events.log import Record
from xget_events.runner import Handler
from xget_scraper.service.checkpoints import Checkpoints
from xget_scraper.service.progress import ProgressService


def on_stored(progress: ProgressService) -> Handler:
    """`xget.stored`: storage has pages."""

    async def handle(records: list[Record]) -> None:
        await progress.record([decode(record, PageStored) for record in records])

    return handle


def on_accounts(checkpoints: Checkpoints, wake: Callable[[], None]) -> Handler:
    """`xget.account-events`: accounts have room, and who waits for them need not wait until the time that was told."""

    async def handle(records: list[Record]) -> None:
        room = [fact for fact in _facts(records) if fact.kind == "room"]
        pools = {(who, fact.platform) for fact in room for who in (fact.owner_id, *fact.lent_to)}
        if pools and await checkpoints.room(pools):
            wake()

    return handle


def _facts(records: list[Record]) -> list[AccountChanged]:
    return [decode(record, AccountChanged) for record in records]


def on_tasks(wake: Callable[[], None]) -> Handler:
    """`xget.tasks`: an execution waits. The row is the truth: the message only wakes."""

    async def handle(_records: list[Record]) -> None:
        wake()

    return handle
