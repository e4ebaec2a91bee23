"""Who holds a lock, and what the fence tells."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from xget_cache.errors import LockLost, LockTaken


class LocksContract:
    """`house.locks`."""

    async def test_one_holds_it_and_another_gets_it_after_release(self, house: Any) -> None:
        async with house.locks.hold("job", 60) as first:
            with pytest.raises(LockTaken):
                await _enter(house, "job")
            async with house.locks.hold("other {job}", 60):
                pass
        async with house.locks.hold("job", 60) as second:
            assert second.token > first.token
        assert first.name == second.name == "job"

    async def test_it_is_released_when_the_work_fails(self, house: Any) -> None:
        with pytest.raises(ValueError, match="work"):
            async with house.locks.hold("job", 60):
                raise ValueError("work")
        await _enter(house, "job")

    async def test_who_waits_gets_it_in_time(self, house: Any, pass_time: Any) -> None:
        async with house.locks.hold("job", 60):
            waiting = asyncio.create_task(_enter(house, "job", wait=30.0))
            await asyncio.sleep(0.05)
            assert not waiting.done()
        for _ in range(50):
            await pass_time(0.1)
            if waiting.done():
                break
        await waiting

    async def test_one_that_runs_out_passes_on_and_its_old_holder_is_told(self, house: Any, pass_time: Any) -> None:
        async with house.locks.hold("job", 0.2) as old:
            await pass_time(0.3)
            async with house.locks.hold("job", 60) as new:
                assert new.token > old.token
                with pytest.raises(LockLost):
                    await old.renew()
            async with house.locks.hold("job", 60):
                pass

    async def test_the_old_holder_does_not_release_what_is_anothers(self, house: Any, pass_time: Any) -> None:
        old = house.locks.hold("job", 0.2)
        await old.__aenter__()
        await pass_time(0.3)
        async with house.locks.hold("job", 60):
            await old.__aexit__(None, None, None)
            with pytest.raises(LockTaken):
                await _enter(house, "job")

    async def test_renewing_holds_it_longer(self, house: Any, pass_time: Any) -> None:
        async with house.locks.hold("job", 6.0) as fence:
            for _ in range(4):
                await pass_time(2.0)
                await fence.renew()
                with pytest.raises(LockTaken):
                    await _enter(house, "job")

    async def test_of_many_takers_one_at_a_time_works_and_tokens_only_grow(self, house: Any, pass_time: Any) -> None:
        working, tokens = 0, []

        async def work() -> None:
            nonlocal working
            async with house.locks.hold("job", 60, wait=60.0) as fence:
                working += 1
                assert working == 1
                tokens.append(fence.token)
                await asyncio.sleep(0)
                working -= 1

        workers = [asyncio.create_task(work()) for _ in range(12)]
        for _ in range(600):
            await pass_time(0.05)
            if all(one.done() for one in workers):
                break
        await asyncio.gather(*workers)
        assert tokens == sorted(set(tokens))
        assert len(tokens) == 12


async def _enter(house: Any, name: str, wait: float = 0.0) -> None:
    async with house.locks.hold(name, 60, wait=wait):
        pass
