"""Every shape of X's answers through processing and storage: stored as twscrape's own parser reads it, nothing lost.

In one process on embedded engines; the pages are the rich sandbox's, of every operation.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from sqlalchemy import select
from twscrape.models import parse_about, parse_community

from xget_contracts.events import PAGES, STORED, PageCollected, PageStored
from xget_db.engine import Database
from xget_events import codec
from xget_events.sqlite import SqliteEventLog
from xget_events.topics import load_topics
from xget_kernel.clock import SystemClock
from xget_processing import settings as processing
from xget_processing.models import QuarantinedRecord
from xget_processing.worker import create_worker as create_processing
from xget_sandbox.graphql.world_source import WorldSource
from xget_sandbox.source import Untouched
from xget_sandbox.world import build_world
from xget_storage import settings as storage
from xget_storage.adapters.stores import Stores
from xget_storage.models import StoredItem
from xget_storage.ports import ItemFilter
from xget_storage.worker import create_worker as create_storage
from xget_testing.x_payloads import mutate, number_of, posts_in
from xget_testing.x_places_truth import about_differences, community_differences
from xget_testing.x_truth import post_differences, theirs, user_differences

pytestmark = pytest.mark.slow
UNSAID = re.compile(
    r"(favourites|media|posts|listed|followers|following|banner|location|description|pinned|links): "
    r"(0|None|''|\[\]) != "
)
"""A page that shows a profile in part: twscrape has 0 and "" for what it does not say, the store what others said."""
AT = datetime(2026, 7, 1, tzinfo=UTC)


@dataclass
class Line:
    """Processing and storage behind one topic."""

    log: SqliteEventLog
    stores: Stores
    quarantine: Database

    async def store(self, bodies: Sequence[tuple[str, bytes]]) -> None:
        """Bring pages by operation, the first as page 1 of the execution e1, and wait until all are stored."""
        pages = [_page(n, operation, body) for n, (operation, body) in enumerate(bodies, 1)]
        now = SystemClock().now()
        async with self.log.consumer("test", [STORED]) as consumer, asyncio.timeout(240):
            await self.log.publish([codec.message(PAGES, p.execution_id, p, source="test", now=now) for p in pages])
            waiting = {page.execution_id for page in pages}
            while waiting:
                records = await consumer.poll()
                waiting -= {codec.decode(record, PageStored).execution_id for record in records}
                await consumer.commit(records)

    async def of_page(self, n: int) -> dict[str, StoredItem]:
        """What is stored of a page, by number."""
        found = await self.stores.documents.sighted(ItemFilter(execution_id=f"e{n}"), 10_000)
        return {one.item.native_id: one.item for one in found.items}

    async def refused(self) -> dict[str, list[QuarantinedRecord]]:
        """What stands in quarantine, by execution."""
        found: dict[str, list[QuarantinedRecord]] = {}
        async with self.quarantine.read() as session:
            for row in await session.scalars(select(QuarantinedRecord)):
                found.setdefault(row.execution_id, []).append(row)
        return found


def _page(n: int, operation: str, body: bytes) -> PageCollected:
    return PageCollected(
        execution_id=f"e{n}", task_id="t", owner_id="o", page_no=1, platform="x", route="x_session",
        task_type="KEYWORD_SEARCH", operation=operation, fetched_at=AT, sha256=hashlib.sha256(body).hexdigest(),
        body_zstd=zstandard.compress(body),
    )  # fmt: skip


@asynccontextmanager
async def running(home: Path) -> AsyncIterator[Line]:
    stop = asyncio.Event()
    reading = processing.Settings(home=home, processing_freeze_rate=0, processing_drift_every=0)
    keeping = storage.Settings(home=home, grpc_port=0)
    async with AsyncExitStack() as stack:
        log = SqliteEventLog(home / "events.db")
        stack.push_async_callback(log.close)
        await log.create_topics(load_topics())
        stores = await stack.enter_async_context(Stores.opened(keeping))
        tasks = [
            asyncio.create_task(create_processing(reading, log=log).run(stop)),
            asyncio.create_task(create_storage(keeping, log=log).run(stop)),
        ]
        quarantine = Database(reading.tables_url)
        stack.push_async_callback(quarantine.close)
        try:
            yield Line(log, stores, quarantine)
        finally:
            stop.set()
            await asyncio.gather(*tasks)


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    async with running(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def source() -> WorldSource:
    return WorldSource(build_world(7, 700, rich=True))


def asked(source: WorldSource) -> list[tuple[str, dict[str, Any]]]:
    """A question for every operation, and a few searches for what is rare."""
    world = source.world
    ada = str(world.handles["elonmusk"].id)
    creator = next(str(one) for one in world.authors if world.subscriptions(one))
    busiest = str(max(world.replies_to, key=lambda one: len(world.replies_to[one])))
    reposted = str(max(world.reposters, key=lambda one: len(world.reposters[one])))
    members, place = str(next(iter(world.lists))), "1501272736215322629"
    searches = ("lang:en", "lang:zh", "filter:quote", "include:nativeretweets AI", "filter:videos", "filter:images")
    return [
        *(("SearchTimeline", {"rawQuery": query, "product": "Latest"}) for query in searches),
        *(("SearchTimeline", {"rawQuery": "AI", "product": product}) for product in ("Top", "Media")),
        ("SearchTimeline", {"rawQuery": "elon", "product": "People"}),
        *((name, {"userId": ada}) for name in ("UserTweets", "UserTweetsAndReplies", "UserMedia", "UserByRestId")),
        *((name, {"userId": ada}) for name in ("Followers", "Following", "BlueVerifiedFollowers")),
        ("UserCreatorSubscriptions", {"userId": creator}),
        ("UserByScreenName", {"screen_name": "elonmusk"}),
        ("AboutAccountQuery", {"screenName": "elonmusk"}),
        ("TweetDetail", {"focalTweetId": busiest}),
        ("Retweeters", {"tweetId": reposted}),
        *((name, {"listId": members}) for name in ("ListMembers", "ListLatestTweetsTimeline")),
        *((name, {"communityId": place}) for name in ("CommunityQuery", "CommunityTweetsTimeline")),
        *((name, {"communityId": place}) for name in ("membersSliceTimeline_Query", "moderatorsSliceTimeline_Query")),
        ("Bookmarks", {}),
        ("GenericTimelineById", {}),
    ]


def answers(source: WorldSource) -> list[tuple[str, bytes]]:
    found = [(name, source.answer(name, variables, Untouched())) for name, variables in asked(source)]
    assert {name for name, _ in found} == source.handlers.keys()
    return [(name, body) for name, body in found if body is not None] + everything(source)


def everything(source: WorldSource) -> list[tuple[str, bytes]]:
    """All posts that X would show of the rare kinds, a hundred a page, so that each kind is there."""
    rare = [p.id for p in source.world.newest if (extra := source.world.extras_of(p)) and extra != type(extra)()]
    shown = [{"tweet_results": {"result": source.renderer.post(one)}, "__typename": "TimelineTweet"} for one in rare]
    return [("SearchTimeline", orjson.dumps({"data": {"items": shown[at : at + 100]}})) for at in range(0, 400, 100)]


def kinds(items: Sequence[StoredItem]) -> set[str]:
    """Which of the rare things are among what is stored."""
    found = {item.card.type for item in items if item.card} | {item.kind for item in items}
    found |= {name for item in items for name in item.extra}
    found |= {media.type for item in items for media in item.media}
    found |= {"alt text" for item in items for media in item.media if media.alt_text}
    found |= {"place" for item in items if item.place} | {"coordinates" for item in items if item.coordinates}
    return found | {"versions" for item in items if len(item.extra.get("edit", {}).get("ids", [])) > 1}


async def test_everything_that_twscrape_yields_is_stored_with_equal_values(line: Line, source: WorldSource) -> None:
    bodies = answers(source)
    await line.store(bodies)
    assert await line.refused() == {}
    seen: list[StoredItem] = []
    wrong: list[str] = []
    for n, (operation, body) in enumerate(bodies, 1):
        payload = orjson.loads(body)
        items = await line.of_page(n)
        seen += items.values()
        posts, users, trends = theirs(payload)
        wrong += [f"{operation} lacks post {one}" for one in posts if one not in items]
        wrong += [f"{operation} lacks trend {t.name}" for t in trends.values() if t.name not in named(items)]
        wrong += [line for one, post in posts.items() if one in items for line in post_differences(post, items[one])]
        authors = await line.stores.documents.authors([f"x:{one}" for one in users])
        wrong += [f"{operation} lacks user {one}" for one in users if f"x:{one}" not in authors]
        wrong += [w for one, u in users.items() if (a := authors.get(f"x:{one}")) for w in user_differences(u, a)]
        if community := parse_community(payload):
            wrong += community_differences(community, items[community.id_str])
        if about := parse_about(payload):
            wrong += about_differences(about, authors[f"x:{about.rest_id}"])
    assert [line for line in wrong if not UNSAID.search(line)] == []
    assert {
        "post", "trend", "community", "audiospace", "broadcast", "player", "unified_card", "poll",
        "photo", "video", "animated_gif", "alt text", "place", "coordinates", "versions", "long", "article",
        "summary_large_image", "withheld_in", "limited_actions", "community_note", "edit",
    } - kinds(seen) == set()  # fmt: skip


def named(items: dict[str, StoredItem]) -> set[str]:
    return {item.text for item in items.values() if item.kind == "trend"}


async def test_of_drifted_pages_every_post_is_stored_or_in_quarantine(line: Line, source: WorldSource) -> None:
    pages = [body for name, body in answers(source) if b'"full_text"' in body and len(body) < 150_000]
    documents = [mutate(pages[seed % len(pages)], seed, 10 + 4 * seed) for seed in range(32)]
    bodies = [("SearchTimeline", orjson.dumps(one, option=orjson.OPT_NON_STR_KEYS)) for one in documents]
    await line.store(bodies)
    quarantined = await line.refused()
    lost, refusals = [], 0
    for n, (_, body) in enumerate(bodies, 1):
        present = posts_in(orjson.loads(body))
        numbers = {number for one in present if (number := number_of(one))}
        stored = set(await line.of_page(n)) & numbers
        rows = quarantined.get(f"e{n}", [])
        refused = {row.native_id for row in rows if row.native_id and row.reason.startswith("the post ")}
        nameless = sum(row.reason == "a post without a usable id" for row in rows)
        refusals += len(refused) + nameless
        if stored | refused != numbers or stored & refused or nameless != sum(not number_of(one) for one in present):
            lost.append((n, numbers - stored - refused, refused - numbers, stored & refused, nameless))
    assert lost == []
    assert refusals > 3
