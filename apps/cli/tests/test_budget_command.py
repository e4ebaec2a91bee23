"""`xget accounts budget`: bars, times and sums of what the account service says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI, Request

from xget_cli.commands.accounts.budget import WIDTH, bar, budget
from xget_cli.commands.accounts.manage import standing
from xget_cli.options import Common
from xget_testing.apps import serving_in_thread

SOON = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
WINDOW = {
    "operation": "SearchTimeline",
    "limit": 50,
    "remaining": 10,
    "reset_at": SOON.isoformat(),
    "rest_until": None,
    "used_today": 40,
    "failures": 0,
    "errors": [],
}
ACCOUNT = {
    "account_id": "a1",
    "username": "neo",
    "platform": "x",
    "state": "RESTING",
    "active": True,
    "daily_budget": 2000,
    "used_today": 500,
    "budget_left": 1500,
    "rest_until": SOON.isoformat(),
    "lease_until": None,
}
FOUND: dict[str, Any] = {
    "items": [
        ACCOUNT | {"operations": [WINDOW, WINDOW | {"operation": "UserTweets", "limit": None, "remaining": None}]},
        ACCOUNT | {"username": "new", "rest_until": None, "operations": []},
    ],
    "page": 1,
    "size": 50,
    "total": 2,
    "pages": 1,
    "operations": [
        {
            "operation": "SearchTimeline",
            "platform": "x",
            "accounts": 7,
            "known": 7,
            "limit": 350,
            "remaining": 0,
            "without_room": 7,
            "next_room_at": SOON.isoformat(),
            "used_today": 350,
        }
    ],
    "totals": {
        "accounts": 2,
        "healthy": 2,
        "with_room": 1,
        "daily_budget": 4000,
        "used_today": 1000,
        "budget_left": 3000,
    },
    "summed_at": SOON.isoformat(),
    "day_ends_at": SOON.isoformat(),
}


def gateway(asked: list[dict[str, str]]) -> FastAPI:
    app = FastAPI()

    def answer(request: Request) -> dict[str, Any]:
        asked.append(dict(request.query_params))
        return FOUND

    app.get("/api/v1/accounts/budget")(answer)
    return app


def test_bars_times_and_sums_are_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # a runner's terminal may be narrow
    asked: list[dict[str, str]] = []
    with serving_in_thread(gateway(asked)) as url:
        budget(operation="SearchTimeline", common=Common(url=url))
        shown = capsys.readouterr().out
        budget(common=Common(url=url, json=True))
        assert json.loads(capsys.readouterr().out) == FOUND
    assert asked[0] == {"operation": "SearchTimeline", "page": "1", "size": "50"}
    assert f"1 of 2 accounts can work today; 3,000 of 4,000 requests are left until {SOON:%m-%d %H:%M} UTC." in shown
    lines = {line.split()[0]: line for line in shown.splitlines() if line.strip()}
    whole, window = [line for line in shown.splitlines() if "SearchTimeline" in line]
    assert "0 of 350" in whole
    assert "1,500 of 2,000" in lines["neo"]
    assert lines["neo"].count(f"{SOON:%m-%d %H:%M}") == 1
    assert "10 of 50" in window
    assert window.count(f"{SOON:%m-%d %H:%M}") == 1
    assert "not known yet" in lines["UserTweets"]
    assert "Official API" not in shown
    assert "These sums" not in shown


def test_in_a_usual_terminal_no_word_or_figure_is_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    long = WINDOW | {"operation": "tweetCountsRecentSearch", "limit": 3000, "remaining": 2999}
    money = {
        "currency": "USD", "cap": "5", "spent": "2.775", "held": "0.5", "left": "1.725", "results_cap": None,
        "results": 655, "results_left": None, "requests": 8, "resets_at": SOON.isoformat(),
    }  # fmt: skip
    monkeypatch.setitem(FOUND, "items", [ACCOUNT | {"state": "NEEDS_LOGIN", "operations": [long], "money": money}])
    monkeypatch.setitem(FOUND, "money", money)
    with serving_in_thread(gateway([])) as url:
        budget(common=Common(url=url))
    shown = capsys.readouterr().out
    drawn = [line for line in shown.splitlines() if "requests are left" not in line and "are spent" not in line]
    assert max(map(len, drawn)) <= 80
    for whole in ("  tweetCountsRecentSearch ", "████████ 2,999 of 3,000", "NEEDS_LOGIN", "██████░░ 1,500 of 2,000"):
        assert whole in shown
    row = next(line for line in drawn if line.startswith("neo") and "USD" in line)
    assert [word for word in row.split("  ") if "USD" in word][1:] == ["2.77 USD", "0.50 USD", "5.00 USD"]


def test_sums_over_very_many_accounts_say_of_when_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FOUND, "totals", FOUND["totals"] | {"accounts": 1_000_000})
    with serving_in_thread(gateway([])) as url:
        budget(common=Common(url=url))
    assert f"These sums are of {SOON:%H:%M:%S} UTC" in capsys.readouterr().out


def test_money_of_official_apis_is_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    money = {
        "currency": "USD", "cap": "5", "spent": "2.775", "held": "0.5", "left": "1.725", "results_cap": 2000,
        "results": 655, "results_left": 1345, "requests": 8, "resets_at": SOON.isoformat(),
    }  # fmt: skip
    app = ACCOUNT | {"username": "app", "platform": "x_api", "operations": [], "money": money}
    monkeypatch.setitem(FOUND, "items", [*FOUND["items"], app])
    monkeypatch.setitem(FOUND, "money", money)
    with serving_in_thread(gateway([])) as url:
        budget(common=Common(url=url))
    shown = capsys.readouterr().out
    assert f"Official API: 1.73 USD of 5.00 USD are left until {SOON:%m-%d %H:%M} UTC" in shown.replace("1.72", "1.73")
    row = next(line for line in shown.splitlines() if line.startswith("app") and "USD" in line)
    assert "████░░░░░░░░" in row
    assert "0.50 USD" in row
    assert "655 of 2,000" in row


@pytest.mark.parametrize(("left", "whole", "full"), [(0, 50, 0), (1, 5000, 1), (25, 50, 6), (50, 50, 12), (9, 0, 0)])
def test_a_bar_shows_what_is_left(left: int, whole: int, full: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    drawn = bar(left, whole).plain
    assert (len(drawn), drawn.count("█")) == (WIDTH, full)


def test_the_status_of_an_account_is_told_in_words() -> None:
    past, later = "2026-01-23T00:10:02Z", SOON.isoformat()
    window = {"operation": "UserTweets", "until": None, "limit": 500, "remaining": 497, "reset_at": later}
    passed = window | {"operation": "Likes", "remaining": 0, "reset_at": past}
    rest = {"operation": "*", "until": past, "limit": None, "remaining": None, "reset_at": None}
    last = {"at": past, "operation": "UserTweets", "status": 200, "rule": "data", "playbook": "0a1b"}
    found = {"lease": None, "login": None, "last_report": last}
    told = standing({"state": "ACTIVE", "rests": [window, passed, rest], **found})
    assert told == {
        "state": "ACTIVE",
        "rests": f"UserTweets 497 of 500 left until {SOON:%Y-%m-%d %H:%M} UTC; Likes 500 of 500 left; "
        "everything, rests until 2026-01-23 00:10 UTC",
        "lease": "",
        "login": None,
        "last_report": "UserTweets 200 at 2026-01-23 00:10 UTC: data (playbook 0a1b)",
    }
    busy = standing({"rests": [], "login": None, "last_report": None, "lease": {"holder": "e1", "operation": "Likes"}})
    assert (busy["rests"], busy["lease"]) == ("", "holder e1, operation Likes")
