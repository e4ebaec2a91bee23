"""A curve on the command line, and what is shown of it."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI, Request

from xget_cli.commands.authors import allow
from xget_cli.commands.data import history
from xget_cli.commands.tasks import create, preview
from xget_cli.commands.tasks.create import TaskOptions
from xget_cli.commands.tasks.manage import show
from xget_cli.errors import CliError
from xget_cli.options import Common
from xget_testing.apps import serving_in_thread

WATCHED = {"posts": 12, "looking": 3, "hidden": 1, "seen": 40, "not_shown": 2, "gone": 5, "failed": 0}
ESTIMATE = {"accounts": 2, "requests": 3, "requests_at_least": 1, "again": 150, "sentence": "3 requests."}
LOOKED = {"seen_at": "2026-07-01T12:00:00Z", "task_id": "t", "role": "match", "metrics": {"likes": 7}}
QUERY = {"query": "AI 量子"}
VERSION = {
    "key": "x:1",
    "created_at": None,
    "first_seen": None,
    "editable_until": None,
    "latest": False,
    "text": "früh",
}


def gateway(bodies: list[dict[str, Any]]) -> FastAPI:
    """Remembers bodies, and knows one task and one post."""
    app = FastAPI()

    async def take(request: Request) -> dict[str, Any]:
        bodies.append(await request.json())
        seen = {"targets": 1, "operations": [], "page_size": 20, "asks": [], "more": 0, "warnings": []}
        return {"id": "t", "status": "PENDING", **seen, "estimate": ESTIMATE}

    def observations() -> dict[str, Any]:
        return {"reobserve": ["1h", "1d"], "next_due_at": "2026-07-02T00:00:00Z", **WATCHED}

    def seen() -> dict[str, Any]:
        edit = {"text": "vorher", "last_seen": "2026-07-01T00:00:00Z", "changed_by": "2026-07-02T00:00:00Z"}
        end = {"gone": "deleted", "alive_at": "2026-07-03T00:00:00Z", "gone_at": "2026-07-04T00:00:00Z"}
        return {"items": [LOOKED], "next_cursor": None, "versions": [VERSION], "revisions": [edit], **end}

    for path in ("/api/v1/tasks", "/api/v1/tasks/preview"):
        app.add_api_route(path, take, methods=["POST"])
    app.add_api_route("/api/v1/tasks/t", lambda: {"id": "t", "reobserve": ["1h", "1d"], "parameters": QUERY})
    app.add_api_route("/api/v1/tasks/t/observations", observations)
    app.add_api_route("/api/v1/task-executions/task/t", lambda: {"items": [{"id": "e", "kind": "reobservation"}]})
    app.add_api_route("/api/v1/data/x:1/history", seen)
    return app


@pytest.mark.parametrize("given", ["1h,6h,1d", "1h, 6h ,1d"])
def test_a_curve_is_part_of_the_task_and_of_its_preview(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    bodies: list[dict[str, Any]] = []
    with serving_in_thread(gateway(bodies)) as url:
        create.keyword_search("AI", task=TaskOptions(reobserve=given), common=Common(url=url))
        preview.keyword_search("AI", reobserve=given, common=Common(url=url))
        create.keyword_search("AI", common=Common(url=url))
    assert [body.get("reobserve") for body in bodies] == [["1h", "6h", "1d"]] * 2 + [None]
    assert "up to 150" in capsys.readouterr().out


def test_a_task_shows_what_of_it_is_seen_again(capsys: pytest.CaptureFixture[str]) -> None:
    with serving_in_thread(gateway([])) as url:
        show("t", common=Common(url=url))
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("Observations", "next_due_at", "12", "40", "reobservation")), shown
    assert "1h, 1d" in shown
    assert '{"query": "AI 量子"}' in shown


def test_a_history_shows_edits_and_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with serving_in_thread(gateway([])) as url:
        history("x:1", common=Common(url=url))
    shown = capsys.readouterr().out
    assert "Gone (deleted): last seen as it was 2026-07-03T00:00:00, first missed 2026-07-04T00:00:00." in shown
    assert all(text in shown for text in ("Versions", "früh", "Earlier texts", "vorher")), shown


def test_a_name_of_who_was_taken_down_is_known_no_more() -> None:
    with pytest.raises(CliError, match="authors forgotten"):
        allow("@ada")
