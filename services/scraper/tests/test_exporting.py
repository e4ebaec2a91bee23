"""What stands in the columns of an export."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import msgspec

from xget_contracts.items import Card, Coordinates, Item, Media, Metrics, Place, PollOption, UserRef
from xget_scraper.service.exporting import COLUMNS, as_csv

FULL = Item(
    key="x:1",
    platform="x",
    native_id="1",
    text="Hello",
    mentions=[UserRef(id="7", username="ada"), UserRef(id="8")],
    cashtags=["A", "B"],
    media=[
        Media(type="photo", url="https://a", alt_text='A "red" line'),
        Media(type="photo", url="https://b", alt_text="线"),
    ],
    card=Card(
        type="poll",
        title="T",
        url="card://1",
        options=[PollOption(label="Yes, sir", votes=3), PollOption(label="No")],
        ends_at=datetime(2026, 1, 2, tzinfo=UTC),
    ),
    place=Place(id="p", full_name="Oslo, Norge", country_code="NO"),
    coordinates=Coordinates(longitude=10.75, latitude=59.91),
    source_app="Web",
    sensitive=False,
    gone="deleted",
    metrics=Metrics(likes=5, members=9),
    extra={"withheld_in": ["DE"], "edit": {"ids": ["1", "2"]}},
)


async def rows(*items: Item | dict[str, str]) -> list[dict[str, str]]:
    async def batches() -> AsyncIterator[Sequence[bytes]]:
        yield [msgspec.json.encode(item) for item in items]

    text = b"".join([piece async for piece in as_csv(batches())]).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_whatever_a_post_carries_stands_in_a_column() -> None:
    (row,) = await rows(FULL)
    assert {name: row[name] for name in ("mentions", "cashtags", "media", "likes", "members")} == {
        "mentions": "ada 8", "cashtags": "A B", "media": "https://a https://b", "likes": "5", "members": "9",
    }  # fmt: skip
    assert row["alt_texts"].splitlines() == ['A "red" line', "线"]
    assert row["poll"].splitlines() == ["Yes, sir: 3", "No: "]
    assert [row[name] for name in ("card_type", "card_title", "card_url", "poll_ends_at")] == [
        "poll", "T", "card://1", "2026-01-02T00:00:00Z",
    ]  # fmt: skip
    place = [row[name] for name in ("place", "country_code", "longitude", "latitude")]
    assert place == ["Oslo, Norge", "NO", "10.75", "59.91"]
    assert [row[name] for name in ("source_app", "sensitive", "gone")] == ["Web", "False", "deleted"]
    assert json.loads(row["extra"]) == FULL.extra


async def test_what_is_not_there_is_an_empty_cell() -> None:
    (row,) = await rows(Item(key="x:1", platform="x", native_id="1"))
    assert tuple(row) == COLUMNS
    assert {name for name, value in row.items() if value} <= {"key", "platform", "native_id", "kind", "role"}


async def test_each_row_says_by_which_route_it_came() -> None:
    stored = [{"key": "x:1", "source": "x_session"}, {"key": "x:2", "source": "x_api"}]
    assert [(row["key"], row["source"]) for row in await rows(*stored)] == [("x:1", "x_session"), ("x:2", "x_api")]
