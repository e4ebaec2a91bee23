"""Results, exports and progress of tasks over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from xget_scraper.deps import Results, Watching
from xget_scraper.errors import TaskNotFound
from xget_scraper.ports import Listing
from xget_scraper.schemas.results import FoundRead, ResultsRead, Role
from xget_scraper.schemas.task import ExportWrite, Progress
from xget_scraper.service.exporting import as_csv, as_jsonl
from xget_scraper.service.watching import ENDED
from xget_web.auth import CallerDep
from xget_web.paging import CursorParam, LimitParam
from xget_web.problems import errors
from xget_web.sse import EventStream, ServerSentEvent, event_stream
from xget_web.types import PathId, text

router = APIRouter(prefix="/api/v1/tasks", tags=["results"])

Word = Annotated[str | None, Query(), text(64, min_length=1)]
FILES = {
    "application/x-ndjson": {"schema": {"type": "string"}},
    "text/csv": {"schema": {"type": "string"}},
}
STREAM = {"text/event-stream": {"schema": {"type": "string"}}}


@router.get("/search/results", response_model=FoundRead, responses=errors(TaskNotFound))
async def search_results(
    *,
    results: Results,
    caller: CallerDep,
    q: Annotated[str, Query(description='Words, "a phrase", -not.'), text(500, min_length=1)],
    task_id: Word = None,
    lang: Word = None,
    limit: LimitParam = 20,
    cursor: CursorParam = None,
) -> Response:
    """Search what your tasks found, or one of them."""
    found = await results.search(q, caller, task_id=task_id, lang=lang, limit=limit, cursor=cursor)
    return _json(found, {"total": found.total})


@router.get("/{task_id}/results", response_model=ResultsRead, responses=errors(TaskNotFound))
async def list_results(
    *,
    task_id: PathId,
    results: Results,
    caller: CallerDep,
    role: Role = "all",
    limit: LimitParam = 20,
    cursor: CursorParam = None,
) -> Response:
    """What a task found, oldest sighting first."""
    found = await results.list(task_id, caller, role=role, limit=limit, cursor=cursor)
    return _json(found, {"total": found.total, "matched": found.matched})


@router.post(
    "/export/{task_id}",
    response_class=Response,
    responses={200: {"description": "The file.", "content": FILES}, **errors(TaskNotFound)},
)
async def export_results(task_id: PathId, body: ExportWrite, results: Results, caller: CallerDep) -> Response:
    """Everything a task found as one file: a JSON document a line, or CSV."""
    batches = await results.export(task_id, caller, body.role)
    chunks, media = (
        (as_jsonl(batches), "application/x-ndjson")
        if body.format == "jsonl"
        else (as_csv(batches), "text/csv; charset=utf-8")
    )
    name = f"task-{''.join(c for c in task_id if c.isalnum() or c == '-')}.{body.format}"
    return StreamingResponse(
        chunks, media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@router.get(
    "/{task_id}/events",
    response_class=Response,
    responses={200: {"description": "Progress events, then `end`.", "content": STREAM}, **errors(TaskNotFound)},
)
async def watch_task(task_id: PathId, watching: Watching, caller: CallerDep) -> EventStream:
    """Server-sent events: the present state first, then each change; `end` when the task has ended.

    Each event's id is the revision of the task. A client that reconnects gets the present state again.
    """
    news = watching.watch(task_id, caller)
    first = await anext(news)
    return event_stream(_events(first, news))


async def _events(
    first: tuple[int, Progress], news: AsyncGenerator[tuple[int, Progress]]
) -> AsyncGenerator[ServerSentEvent]:
    try:
        last = first
        yield _event("progress", first)
        async for last in news:
            yield _event("progress", last)
        if last[1].status in ENDED:
            yield _event("end", last)
    finally:
        await news.aclose()


def _event(kind: str, news: tuple[int, Progress]) -> ServerSentEvent:
    return ServerSentEvent(event=kind, id=str(news[0]), raw_data=news[1].model_dump_json())


def _json(found: Listing, counts: dict[str, Any]) -> Response:
    items = [msgspec.Raw(item) for item in found.items]
    body = {"items": items, "next_cursor": found.next_cursor, **counts}
    return Response(msgspec.json.encode(body), media_type="application/json")
