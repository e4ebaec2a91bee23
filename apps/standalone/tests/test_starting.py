"""What keeps a node from starting is one sentence; what fails later is not hidden behind one."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from xget_kernel.errors import Full, StartupError
from xget_standalone.home import Home
from xget_standalone.process import Process
from xget_standalone.starting import check_trust, explained, first_refusal


async def ended(*works: Coroutine[Any, Any, None]) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(work) for work in works]
    await asyncio.wait(tasks)
    return tasks


async def fail(error: Exception) -> None:
    raise error


async def test_of_several_refusals_the_first_is_told_and_none_complains_later() -> None:
    tasks = await ended(
        fail(OSError(28, "No space left on device")), fail(StartupError("One.")), fail(StartupError("Two."))
    )
    found = first_refusal(tasks, started=False)
    assert found is not None
    assert str(found) == "One."


async def test_a_full_disk_is_a_refusal_only_before_the_start() -> None:
    tasks = await ended(fail(Full("The disk is full.")))
    assert str(first_refusal(tasks, started=False)) == "The disk is full."
    assert first_refusal(tasks, started=True) is None


async def test_an_unforeseen_failure_is_no_refusal() -> None:
    assert first_refusal(await ended(fail(ValueError("a bug"))), started=False) is None


def test_certificates_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for path in (tmp_path / "not-there.pem", tmp_path / "empty.pem", tmp_path):
        with pytest.raises(StartupError, match="SSL_CERT_FILE names"):
            check_trust({"SSL_CERT_FILE": str(path)})
    check_trust({})
    check_trust({"SSL_CERT_FILE": ""})


def test_a_failing_disk_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"not-there.*No such file"), explained():
        (tmp_path / "not-there").read_bytes()


def test_a_home_is_marked_once_and_lets_go_when_refused(tmp_path: Path) -> None:
    for _ in range(2):
        with Home(tmp_path / "home"):
            assert (tmp_path / "home" / "home.json").read_text() == '{"format": 1}'
    (tmp_path / "home" / "home.json").write_text('{"format": 2}')
    for _ in range(2):
        with pytest.raises(StartupError, match="newer XGet"), Home(tmp_path / "home"):
            pass


async def test_a_stop_while_an_app_still_starts_is_no_failure() -> None:
    process, begun, goes_on = Process(), asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def slowly(_: Starlette) -> AsyncIterator[None]:
        begun.set()
        await goes_on.wait()
        yield

    bound = process.serve("slow", Starlette(lifespan=slowly), "127.0.0.1", 0)
    waiting = asyncio.create_task(process.until(bound))
    await begun.wait()
    process.drain.set()
    assert not await waiting
    goes_on.set()
    await process.stop()
    assert process.outcome(started=False) == 0
