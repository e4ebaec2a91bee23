"""Watching a task survives a stream that breaks, and gives up on a gateway that stays away."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, StreamingResponse

from xget_cli.client import Client
from xget_cli.commands.tasks.watch import events
from xget_cli.errors import Unreachable
from xget_testing.apps import serving_in_thread


class Gateway:
    """Breaks its first `broken` streams after one event."""

    def __init__(self, broken: int) -> None:
        self.broken = broken
        self.resumed_from: list[str | None] = []

    def app(self) -> FastAPI:
        app = FastAPI()
        app.add_api_route("/api/v1/tasks", lambda: JSONResponse({"items": []}))
        app.add_api_route("/api/v1/tasks/t", lambda: JSONResponse({"status": "RUNNING"}))
        app.add_route("/api/v1/tasks/t/events", self.stream)
        return app

    async def stream(self, request) -> StreamingResponse:
        self.resumed_from.append(request.headers.get("last-event-id"))
        number = len(self.resumed_from)

        async def body() -> AsyncIterator[bytes]:
            yield f'id: {number}\ndata: {{"status": "RUNNING", "matched": {number}}}\n\n'.encode()
            if number <= self.broken:
                raise ConnectionError
            yield b'event: end\ndata: {"status": "COMPLETED"}\n\n'

        return StreamingResponse(body(), media_type="text/event-stream")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XGET_CONFIG_DIR", str(tmp_path))


@pytest.mark.usefixtures("config")
def test_a_broken_stream_is_taken_up_again_where_it_broke() -> None:
    gateway = Gateway(broken=2)
    with serving_in_thread(gateway.app()) as url, Client(url) as client:
        seen = list(events(client, "/api/v1/tasks/t", pause=0.01))
    assert [event.get("matched") for event in seen] == [1, 2, 3, None]
    assert gateway.resumed_from == [None, "1", "2"]


@pytest.mark.usefixtures("config")
def test_a_gateway_that_never_answered_ends_the_watch_with_its_address() -> None:
    with serving_in_thread(Gateway(broken=0).app()) as url:
        pass
    with Client(url) as client, pytest.raises(Unreachable, match=url):
        list(events(client, "/api/v1/tasks/t", pause=0.001))


@pytest.mark.usefixtures("config")
def test_a_gateway_that_stays_away_is_not_waited_for_for_ever() -> None:
    with serving_in_thread(Gateway(broken=1).app()) as url:
        client = Client(url)
        watching = events(client, "/api/v1/tasks/t", pause=0.001)
        assert next(watching)["matched"] == 1
    with client, pytest.raises(Unreachable):
        list(watching)
