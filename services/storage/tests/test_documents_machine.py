"""Any sequence of pages, redeliveries, edits and deletions leaves every document store as a small model says."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from pymongo import MongoClient

from xget_contracts.events import PageParsed, PageStored
from xget_contracts.items import Item, Metrics
from xget_kernel.errors import Conflict, NotFound
from xget_kernel.secrets import Secret
from xget_storage.adapters.stores import Stores
from xget_storage.models import StoredItem
from xget_storage.ports import Actor, ItemFilter
from xget_storage.service.merging import first_sight, merge_item
from xget_storage.settings import Settings
from xget_testing.contracts.pages import START, make_item, make_page

KEYS = range(5)
RUNS = {"e1": ("t1", "o1"), "e2": ("t1", "o1"), "e3": ("t2", "o2")}
OWNERS = sorted({owner for _, owner in RUNS.values()})
SHOWN = st.tuples(st.sampled_from(KEYS), st.booleans(), st.sampled_from(["", "a", "b"]), st.integers(0, 3))
PAGE = st.tuples(st.sampled_from(sorted(RUNS)), st.integers(1, 3), st.lists(SHOWN, max_size=4), st.integers(0, 3))


class Model:
    """What stores promise, in the plainest form: one page after the other, everything in dictionaries."""

    def __init__(self) -> None:
        self.items: dict[str, StoredItem] = {}
        self.gone: set[tuple[str, str | None]] = set()
        self.sights: dict[tuple[str, str], list[Any]] = {}
        self.told: dict[tuple[str, int], tuple[int, ...]] = {}
        self.shown: dict[tuple[str, int], set[str]] = {}
        self.waiting: dict[str, int] = {}
        self.revs: dict[str, int] = {}

    def store(self, page: PageParsed) -> None:
        """Store a page that comes for the first time."""
        shows: dict[str, list[Item]] = {}
        for item in page.items:
            shows.setdefault(item.key, []).append(item)
        for key, shown in shows.items():
            if not {(key, None), (key, page.owner_id)} & self.gone:
                self.see(page, key, shown)
        self.shown[page.execution_id, page.page_no] = {
            key for key in shows if not {(key, None), (key, page.owner_id)} & self.gone
        }
        for run, number in self.shown:
            if run == page.execution_id:  # a page that comes late takes from others what it showed before them
                self.told[run, number] = self.count(run, number)

    def count(self, run: str, number: int) -> tuple[int, ...]:
        """Matched, context, new, updated, unchanged, duplicate."""
        counted = {key: one for (its, key), one in self.sights.items() if its == run}
        firsts = [one for one in counted.values() if one[0] == number]
        return (
            sum(one[1] == number for one in counted.values()),
            sum(one[1] != number for one in firsts),
            sum(one[2] for one in firsts),
            sum(one[3] and not one[2] for one in firsts),
            sum(not one[3] and not one[2] for one in firsts),
            sum(number not in counted[key][:2] for key in self.shown[run, number]),
        )

    def see(self, page: PageParsed, key: str, shown: list[Item]) -> None:
        fresh = key not in self.items
        changed = False
        for item in shown:
            if key not in self.items:
                self.items[key] = first_sight(item, page)
            else:
                changed |= merge_item(self.items[key], item, page)
        match = page.page_no if any(item.role == "match" for item in shown) else None
        sight = self.sights.setdefault((page.execution_id, key), [page.page_no, match, fresh, changed])
        if page.page_no < sight[0]:
            sight[0], sight[3] = page.page_no, sight[3] or changed
        sight[1] = min((number for number in (sight[1], match) if number is not None), default=None)

    def listed(self, run: str) -> dict[str, str]:
        """Items of an execution and their roles."""
        owner = RUNS[run][1]
        return {
            key: "match" if one[1] else "context"
            for (its, key), one in self.sights.items()
            if its == run and key in self.items and owner in self.items[key].seen_by
        }

    def listed_in_task(self, task: str) -> dict[str, str]:
        """Items of a task and their roles."""
        found: dict[str, str] = {}
        for run in (run for run, (its, _) in RUNS.items() if its == task):
            for key, role in self.listed(run).items():
                found[key] = "match" if "match" in (role, found.get(key)) else "context"
        return found

    def delete(self, key: str, owner: str | None) -> None:
        item = self.items[key]
        for name in list(item.seen_by) if owner is None else [owner]:
            del item.seen_by[name]
            self.gone.add((key, name))
        self.revs[key] = self.waiting[key] = item.rev = item.rev + 1
        if not item.seen_by:
            del self.items[key]
            self.gone.add((key, None))


class DocumentMachine(RuleBasedStateMachine):
    """Runs a store and the model side by side. Names carry the example's number: examples share one database."""

    loop: asyncio.Runner
    store: Any
    numbers = itertools.count()

    @initialize()
    def begin(self) -> None:
        self.n = next(self.numbers)
        self.model = Model()
        self.delivered: dict[tuple[str, int], PageParsed] = {}
        self.heard: dict[tuple[str, int], PageStored] = {}
        self.attempts = itertools.count(1)
        while waiting := self.run(self.store.unindexed(100)):  # of the example before
            self.run(
                self.store.indexed({key: one if isinstance(one, int) else one.rev for key, one in waiting.items()})
            )

    def key(self, number: int) -> str:
        return f"x:{self.n}-{number}"

    def name(self, text: str) -> str:
        return f"{text}-{self.n}"

    def page(self, spec: Any) -> PageParsed:
        run, number, shown, after = spec
        items = [
            make_item(
                n, key=self.key(n), role="match" if match else "context", text=text, metrics=Metrics(likes=likes),
                author_username=self.name("user"),
            )
            for n, match, text, likes in shown
        ]  # fmt: skip
        task, owner = RUNS[run]
        names = {"execution_id": self.name(run), "task_id": self.name(task), "owner_id": self.name(owner)}
        return make_page(number, items, after=after, attempt=next(self.attempts), **names)

    def model_page(self, page: PageParsed) -> None:
        plain = PageParsed(**{name: getattr(page, name) for name in page.__struct_fields__})
        plain.execution_id, plain.task_id, plain.owner_id = (
            text.rpartition("-")[0] for text in (page.execution_id, page.task_id, page.owner_id)
        )
        self.delivered[page.execution_id, page.page_no] = page
        self.model.store(plain)

    def run(self, work: Any) -> Any:
        return self.loop.run(work)

    @rule(specs=st.lists(PAGE, min_size=1, max_size=4))
    def store_pages(self, specs: Any) -> None:
        pages = [self.page(spec) for spec in specs]
        for page in pages:
            self.model_page(page)
        self.answered(pages, self.run(self.store.store_pages(pages, START)))

    @rule(spec=PAGE, writers=st.integers(2, 3))
    def store_at_several(self, spec: Any, writers: int) -> None:
        page = self.page(spec)
        self.model_page(page)

        async def at_once() -> list[Any]:
            return await asyncio.gather(*(self.store.store_pages([page], START) for _ in range(writers)))

        for answers in self.run(at_once()):
            self.answered([page], answers)

    @rule(data=st.data())
    def redeliver(self, data: Any) -> None:
        if self.delivered:
            chosen = data.draw(st.lists(st.sampled_from(sorted(self.delivered)), min_size=1, max_size=5))
            pages = [self.delivered[one] for one in chosen]
            self.answered(pages, self.run(self.store.store_pages(pages, START)))

    def answered(self, pages: list[PageParsed], answers: list[PageStored]) -> None:
        """All that was ever said, the last word on each page counting, is what the model says of every page."""
        assert [place(one) for one in answers[: len(pages)]] == [place(one) for one in pages]
        for answer in answers:
            if place(answer) not in self.heard or self.heard[place(answer)].stored_at <= answer.stored_at:
                self.heard[place(answer)] = answer
        said = {(run.rpartition("-")[0], number): counts(one) for (run, number), one in self.heard.items()}
        assert said == self.model.told

    @rule(number=st.sampled_from(KEYS), owner=st.sampled_from([None, *OWNERS]), text=st.sampled_from([None, "x", "y"]))
    def edit(self, number: int, owner: str | None, text: str | None) -> None:
        key = self.key(number)
        item = self.model.items.get(key)
        work = self.store.edit(key, owner and self.name(owner), {"text": text}, rev=None, by=self.by())
        if item is None or (owner is not None and owner not in item.seen_by):
            with pytest.raises(NotFound):
                self.run(work)
        elif owner is not None and set(item.seen_by) != {owner}:
            with pytest.raises(Conflict):
                self.run(work)
        else:
            self.run(work)
            item.edits = {} if text is None else {"text": text}
            item.rev += 1
            self.model.waiting[key] = item.rev

    @rule(number=st.sampled_from(KEYS), owner=st.sampled_from([None, *OWNERS]))
    def delete(self, number: int, owner: str | None) -> None:
        key = self.key(number)
        item = self.model.items.get(key)
        work = self.store.delete(key, owner and self.name(owner), by=self.by())
        if item is None or (owner is not None and owner not in item.seen_by):
            with pytest.raises(NotFound):
                self.run(work)
        else:
            self.run(work)
            self.model.delete(key, owner)

    @rule(size=st.integers(1, 3))
    def take_over(self, size: int) -> None:
        waiting = self.run(self.store.unindexed(size))
        assert len(waiting) == min(size, len(self.model.waiting))
        revs = {key: one if isinstance(one, int) else one.rev for key, one in waiting.items()}
        for key, rev in revs.items():
            item = self.model.items.get(key)
            assert rev == (item.rev if item else self.model.revs[key])
            del self.model.waiting[key]
        self.run(self.store.indexed(revs))

    def by(self) -> Actor:
        return Actor(user_id="somebody", at=START)

    @invariant()
    def items_are_as_the_model_says(self) -> None:
        found = self.run(self.store.load([self.key(n) for n in KEYS]))
        for item in found.values():
            item.seen_by = {
                owner.rpartition("-")[0]: [t.rpartition("-")[0] for t in tasks] for owner, tasks in item.seen_by.items()
            }
            item.first_execution = item.first_execution.rpartition("-")[0]
        assert found == self.model.items

    @invariant()
    def lists_are_as_the_model_says(self) -> None:
        for run in RUNS:
            self.check({"execution_id": self.name(run)}, self.model.listed(run))
        for task in {task for task, _ in RUNS.values()}:
            self.check({"task_id": self.name(task)}, self.model.listed_in_task(task))
        for owner in OWNERS:
            mine = {key for key, item in self.model.items.items() if owner in item.seen_by}
            found = self.run(self.store.find(ItemFilter(owner=self.name(owner)), 10))
            assert {item.key for item in found.items} == mine
            assert found.total == len(mine)

    def check(self, wanted: dict[str, str], expected: dict[str, str]) -> None:
        found: list[Any] = []
        after: int | None = 0
        while after is not None:
            page = self.run(self.store.sighted(ItemFilter(**wanted), 2, after=after))
            found += page.items
            after = page.cursor
        assert {one.item.key: one.role for one in found} == expected
        assert len(found) == len(expected) == page.total
        assert page.matched == sum(role == "match" for role in expected.values())
        for role in ("match", "context"):
            narrowed = self.run(self.store.find(ItemFilter(**wanted, role=role), 10))
            assert {item.key for item in narrowed.items} == {key for key, its in expected.items() if its == role}


def counts(answer: PageStored) -> tuple[int, ...]:
    """As the model counts."""
    return answer.matched, answer.context, answer.new, answer.updated, answer.unchanged, answer.duplicate


def place(page: PageParsed | PageStored) -> tuple[str, int]:
    """What a page is known by."""
    return page.execution_id, page.page_no


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.connected("mongodb"))])
def chosen(request: Any, tmp_path: Path) -> Iterator[tuple[Settings, int]]:
    """Settings of a store of the test's own, and how many examples it is worth."""
    if request.param == "sqlite":
        yield Settings(home=tmp_path, grpc_port=0), 100
        return
    url, name = request.getfixturevalue("mongodb_url"), f"t{secrets.token_hex(6)}"
    yield Settings(home=tmp_path, grpc_port=0, mongodb_url=Secret(url), mongodb_db=name), 12
    with MongoClient[dict[str, object]](url) as client:
        client.drop_database(name)


@pytest.mark.slow
def test_a_store_does_what_the_model_does(chosen: tuple[Settings, int]) -> None:
    with asyncio.Runner() as loop:
        stores = Stores.opened(chosen[0])
        opened = loop.run(stores.__aenter__())

        class Machine(DocumentMachine):
            pass

        Machine.loop, Machine.store = loop, opened.documents
        checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
        options = settings(
            max_examples=chosen[1], stateful_step_count=15, deadline=None, suppress_health_check=checks, database=None
        )
        try:
            run_state_machine_as_test(Machine, settings=options)
        finally:
            loop.run(stores.__aexit__(None, None, None))
