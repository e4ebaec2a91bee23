"""What a cache keeps, forgets and makes once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest


class Maker:
    """Makes values and counts how often."""

    def __init__(self, value: bytes = b"made", error: Exception | None = None) -> None:
        self.value = value
        self.error = error
        self.runs = 0
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self) -> bytes:
        self.runs += 1
        await self.go.wait()
        if self.error:
            raise self.error
        return self.value


class CacheContract:
    """`house.cache`."""

    async def test_what_was_set_is_found_and_may_be_replaced_and_deleted(self, house: Any) -> None:
        assert await house.cache.get("a") is None
        for value in (b"", b"\x00\xff\xf0", "北京".encode(), b"x" * 100_000):
            await house.cache.set("a", value, 60)
            assert await house.cache.get("a") == value
        await house.cache.set("b", b"other", 60)
        await house.cache.delete("a", "never-set")
        assert (await house.cache.get("a"), await house.cache.get("b")) == (None, b"other")
        await house.cache.delete()

    @pytest.mark.parametrize("key", ["x" * 1000, "with {braces} and blanks", "北京\n", "a:b/c@d.e-f"])
    async def test_any_text_is_a_key(self, house: Any, key: str) -> None:
        await house.cache.set(key, b"1", 60)
        assert (await house.cache.get(key), await house.cache.get(key + "x")) == (b"1", None)

    async def test_values_go_when_their_time_is_over(self, house: Any, pass_time: Any) -> None:
        await house.cache.set("short", b"1", 0.2)
        await house.cache.set("long", b"2", 60)
        await pass_time(0.3)
        assert (await house.cache.get("short"), await house.cache.get("long")) == (None, b"2")

    async def test_a_stampede_makes_a_value_once(self, house: Any) -> None:
        maker = Maker()
        maker.go.clear()
        asking = [asyncio.create_task(house.cache.get_or_set("k", 60, maker)) for _ in range(50)]
        await asyncio.sleep(0.1)
        maker.go.set()
        assert set(await asyncio.gather(*asking)) == {b"made"}
        assert await house.cache.get_or_set("k", 60, maker) == b"made"
        assert maker.runs == 1

    async def test_a_failure_reaches_all_who_asked_and_is_not_kept(self, house: Any) -> None:
        failing = Maker(error=ValueError("no"))
        failing.go.clear()
        asking = [asyncio.create_task(house.cache.get_or_set("k", 60, failing)) for _ in range(5)]
        await asyncio.sleep(0.1)
        failing.go.set()
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert all(isinstance(answer, ValueError) for answer in answers)
        assert failing.runs == 1
        assert await house.cache.get_or_set("k", 60, Maker()) == b"made"

    async def test_who_gives_up_waiting_does_not_stop_the_others(self, house: Any) -> None:
        maker = Maker()
        maker.go.clear()
        first, second = (asyncio.create_task(house.cache.get_or_set("k", 60, maker)) for _ in range(2))
        await asyncio.sleep(0.1)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        maker.go.set()
        assert await second == b"made"
        assert maker.runs == 1

    async def test_a_value_is_made_again_after_its_time(self, house: Any, pass_time: Any) -> None:
        maker = Maker()
        await house.cache.get_or_set("k", 0.2, maker)
        await pass_time(0.3)
        await house.cache.get_or_set("k", 0.2, maker)
        assert maker.runs == 2
