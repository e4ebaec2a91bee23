"""The behaviour of a raw page store, whatever the engine.

Subclass `RawPageStoreContract` with a fixture `store` and the class attribute `page`, the struct of a raw page.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from xget_testing.contracts.pages import START

_BYTES = random.Random(5).randbytes(1 << 20)


class RawPageStoreContract:
    """All of it."""

    page: Any

    def raw(self, number: int, body: bytes = b"body", **fields: Any) -> Any:
        """Page `number` of execution e1."""
        given: dict[str, Any] = {
            "execution_id": "e1",
            "page_no": number,
            "task_id": "t1",
            "owner_id": "owner-1",
            "platform": "x",
            "operation": "SearchTimeline",
            "fetched_at": START + timedelta(microseconds=number),
            "sha256": "00",
            "body_zstd": body,
        }
        return self.page(**(given | fields))

    async def test_pages_come_back_as_they_were(self, store: Any) -> None:
        pages = [self.raw(number, bytes([number])) for number in range(1, 9)]
        await store.put(pages, START)
        assert [await store.get("e1", number) for number in range(1, 9)] == pages
        assert await store.get("e1", 9) is None
        assert await store.get("e2", 1) is None
        await store.put([], START)

    @pytest.mark.parametrize("size", [0, 1, (4 << 20) + 3, 16 << 20, (17 << 20) + 1])
    async def test_a_body_of_any_size_is_kept(self, store: Any, size: int) -> None:
        page = self.raw(1, (_BYTES * (size // len(_BYTES) + 1))[:size])
        await store.put([page], START)
        assert await store.get("e1", 1) == page

    async def test_the_same_page_again_replaces(self, store: Any) -> None:
        large = _BYTES * 12
        for body in (b"a", large, large[::-1], b"b"):
            await store.put([self.raw(1, b"first"), self.raw(1, body)], START)
            assert (await store.get("e1", 1)).body_zstd == body

    async def test_old_pages_are_dropped_and_counted(self, store: Any) -> None:
        await store.put([self.raw(number, _BYTES * (9 if number == 3 else 0)) for number in range(1, 6)], START)
        await store.put([self.raw(6)], START + timedelta(days=1))
        assert await store.drop_before(START) == 0
        assert await store.drop_before(START + timedelta(seconds=1)) == 5
        assert await store.get("e1", 3) is None
        assert await store.get("e1", 6) is not None
        assert await store.drop_before(START + timedelta(seconds=1)) == 0

    async def test_a_scan_meets_every_page_once(self, store: Any) -> None:
        assert await store.scan(None, 3) == ([], None)
        pages = [self.raw(number, _BYTES * (9 if number == 3 else 1)) for number in range(1, 8)]
        await store.put(pages, START)
        met, after = await store.scan(None, 3)
        while after is not None:
            piece, after = await store.scan(after, 3)
            assert len(piece) <= 3
            met += piece
        assert sorted(met, key=lambda page: page.page_no) == pages

    @pytest.mark.parametrize("size", [1, 20 << 20])
    async def test_a_page_is_replaced_if_it_is_the_one_that_was_read(self, store: Any, size: int) -> None:
        await store.put([self.raw(1, _BYTES * (size >> 20) + b"old", sha256="aa")], START)
        changed = self.raw(1, _BYTES + b"new", sha256="bb", forgotten=True)
        assert not await store.replace(changed, "cc")
        assert await store.replace(changed, "aa")
        assert not await store.replace(changed, "aa")
        assert await store.get("e1", 1) == changed
        assert not await store.replace(self.raw(2), "aa")
        assert await store.drop_before(START + timedelta(seconds=1)) == 1
