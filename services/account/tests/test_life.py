"""The states of an account: only moves of the table happen, each has its row and its event, and people see them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from hypothesis import settings as rules
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from xget_account.errors import IllegalMove
from xget_account.models import ACTIVE, HEALTHY, NEEDS_LOGIN, NEW, RETIRED, Account, Move
from xget_account.service.life import MACHINES, NEXT_STEPS, STATES, TRANSITIONS, Life, may_move
from xget_kernel.clock import ManualClock

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "operations" / "accounts.md"


class Facts:
    """What a life writes, in memory."""

    def __init__(self) -> None:
        self.moves: list[Move] = []
        self.events: list[Any] = []
        self.trail = self
        self.notes: list[str] = []

    def note(self, action: str, *_told: Any, **_by: Any) -> None:
        self.notes.append(action)

    def add(self, move: Move) -> None:
        self.moves.append(move)

    def announce(self, change: Any) -> None:
        self.events.append(change)


def fresh(status: str = NEW) -> Account:
    return Account(id="a", owner_id="ada", platform="x", username="grace", login_method="COOKIES", status=status)


class Lives(RuleBasedStateMachine):
    """Any moves in any order by anybody: the state is where the last allowed one led."""

    def __init__(self) -> None:
        super().__init__()
        self.facts = Facts()
        self.account = fresh()
        self.life = Life(self.facts, ManualClock())  # type: ignore[arg-type]  # a life needs no more
        self.model = NEW

    @rule(to=st.sampled_from(STATES), by=st.sampled_from([*sorted(MACHINES), "ada"]), reason=st.sampled_from("xyz"))
    def move(self, to: str, by: str, reason: str) -> None:
        if may_move(self.model, to, by):
            self.life.move(self.account, to, reason=reason, by=by)
            self.model = to
        else:
            with pytest.raises(IllegalMove):
                self.life.move(self.account, to, reason=reason, by=by)

    @invariant()
    def the_row_the_history_and_the_events_agree(self) -> None:
        assert self.account.status == self.model
        assert (self.account.error_msg is None) == (self.model in HEALTHY)
        assert len(self.facts.moves) == len(self.facts.events)
        path = [NEW, *(move.to_state for move in self.facts.moves)]
        assert [move.from_state for move in self.facts.moves] == path[:-1]
        assert path[-1] == self.model
        assert all(
            event.to_state == move.to_state for move, event in zip(self.facts.moves, self.facts.events, strict=True)
        )
        assert all(move.next_step in NEXT_STEPS for move in self.facts.moves)


Lives.TestCase.settings = rules(max_examples=60, stateful_step_count=25, deadline=None)
TestLives = Lives.TestCase


def test_every_state_can_be_left_and_reached_and_no_machine_leaves_retired() -> None:
    assert {row.source for row in TRANSITIONS} == {row.target for row in TRANSITIONS} == set(STATES)
    assert all(row.by == {"person"} for row in TRANSITIONS if RETIRED in (row.source, row.target))


def test_the_drawing_in_the_documents_shows_the_table() -> None:
    drawn = re.findall(r"^    ([A-Z_]+) --> ([A-Z_]+): (.+)$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert {(source, target): by for source, target, by in drawn} == {
        (row.source, row.target): ", ".join(sorted(row.by)) for row in TRANSITIONS
    }


async def test_people_read_the_history_and_retire_and_revive(client: httpx.AsyncClient, add_account: Any) -> None:
    account = (await add_account("grace"))["id"]
    retired = await client.post(f"/api/v1/accounts/{account}/retire", json={"reason": "On holiday."})
    assert (retired.json()["state"], retired.json()["next_step"], retired.json()["usable"]) == (
        RETIRED,
        "revive",
        False,
    )
    assert retired.json()["sentence"] == "On holiday."
    assert account in retired.json()["advice"]
    healthy = await client.put(f"/api/v1/accounts/{account}", json={"status": ACTIVE})
    assert healthy.status_code == 409
    assert "revive" in healthy.json()["detail"]
    revived = await client.post(f"/api/v1/accounts/{account}/revive", json={})
    assert (revived.json()["state"], revived.json()["next_step"]) == (NEW, "")
    history = (await client.get(f"/api/v1/accounts/{account}/history")).json()["items"]
    assert [(one["from_state"], one["to_state"], one["by"]) for one in history] == [
        (RETIRED, NEW, "ada"),
        (NEW, RETIRED, "ada"),
    ]


async def test_a_retired_account_without_cookies_comes_back_to_need_a_login(client: httpx.AsyncClient) -> None:
    made = await client.post("/api/v1/accounts", json={"username": "grace", "password": "p"})
    account = made.json()["id"]
    await client.post(f"/api/v1/accounts/{account}/retire", json={})
    revived = await client.post(f"/api/v1/accounts/{account}/revive", json={})
    assert (revived.json()["state"], revived.json()["next_step"]) == (NEEDS_LOGIN, "login")


async def test_the_history_of_somebody_else_is_not_there(
    client: httpx.AsyncClient, add_account: Any, tokens: Any
) -> None:
    account = (await add_account("grace"))["id"]
    client.headers["Authorization"] = f"Bearer {tokens.make('bob', ['operator'])}"
    for answer in (
        await client.get(f"/api/v1/accounts/{account}/history"),
        await client.post(f"/api/v1/accounts/{account}/retire", json={}),
    ):
        assert answer.status_code == 404


async def test_the_playbook_in_force_is_shown(client: httpx.AsyncClient) -> None:
    shown = (await client.get("/api/v1/accounts/playbook")).json()
    assert (shown["version"], shown["source"], shown["trouble"]) == (1, "packaged", "")
    assert {"name": "locked", "action": "human"}.items() <= next(
        r for r in shown["rules"] if r["name"] == "locked"
    ).items()
