"""A running sandbox, a session that lends accounts, and the source between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from twscrape.queue_client import XClIdGenStore

from xget_sandbox.app import Options, Sandbox
from xget_sources.ports import CollectRequest, RawPage
from xget_sources.x.x_source import XSource
from xget_testing.lending import HastyClock, Lender

Start = Callable[..., Awaitable[Sandbox]]
Gather = Callable[..., Awaitable[list[RawPage]]]


@pytest.fixture
async def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Starts a sandbox; its CA is what the source trusts."""
    running: list[Sandbox] = []
    XClIdGenStore.items.clear()

    async def begin(**options: Any) -> Sandbox:
        ca_file = tmp_path / f"ca-{len(running)}.pem"
        sandbox = Sandbox(Options(port=0, ca_file=ca_file, **{"posts": 600, **options}))
        await sandbox.start()
        running.append(sandbox)
        monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
        return sandbox

    yield begin
    for sandbox in running:
        await sandbox.stop()


@pytest.fixture
async def source() -> AsyncIterator[XSource]:
    """X as a source."""
    made = XSource(HastyClock())
    yield made
    await made.close()


@pytest.fixture
def gather(source: XSource) -> Gather:
    """Collects a task's pages to the end, or to a number of pages."""

    async def pages(
        lender: Lender, task_type: str, cursor: str | None = None, most: int = 1000, **params: Any
    ) -> list[RawPage]:
        found: list[RawPage] = []
        request = CollectRequest(task_type=task_type, parameters=params)
        async with aclosing(source.collect(request, lender, cursor)) as stream:
            async for page in stream:
                found.append(page)
                assert lender.held == set(), "a lease is held between pages"
                if len(found) == most:
                    break
        return found

    return pages


@pytest.fixture
def lender() -> type[Lender]:
    """The session's class: tests have no package to import it from."""
    return Lender
