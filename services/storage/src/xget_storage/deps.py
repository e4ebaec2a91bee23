"""What the routes are given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal, cast

from fastapi import Depends, Query, Request

from xget_contracts.items import Kind
from xget_kernel.caller import Caller
from xget_storage.models import Role
from xget_storage.ports import ItemFilter
from xget_storage.schemas.moments import Moment
from xget_storage.service.items import DataService
from xget_storage.service.observing import ObservingService
from xget_storage.service.raw import RawService
from xget_storage.service.reading import ReadService
from xget_storage.service.takedowns import TakedownService
from xget_web.auth import CallerDep
from xget_web.types import text


@dataclass(frozen=True)
class Container:
    """What the app built for its routes, at `app.state.storage`."""

    data: DataService
    reader: ReadService
    seen: ObservingService
    raw: RawService
    takedowns: TakedownService


def container(request: Request) -> Container:
    """The container of the app that serves this request."""
    return cast(Container, request.app.state.storage)


def writer(caller: CallerDep) -> Caller:
    """A caller who may change items. Raises Forbidden (403)."""
    caller.require("operator", "analyst")
    return caller


def _data(request: Request) -> DataService:
    return container(request).data


def _reader(request: Request) -> ReadService:
    return container(request).reader


def _seen(request: Request) -> ObservingService:
    return container(request).seen


def _raw(request: Request) -> RawService:
    return container(request).raw


def _takedowns(request: Request) -> TakedownService:
    return container(request).takedowns


Writer = Annotated[Caller, Depends(writer)]
Data = Annotated[DataService, Depends(_data)]
Reader = Annotated[ReadService, Depends(_reader)]
Seen = Annotated[ObservingService, Depends(_seen)]
Raw = Annotated[RawService, Depends(_raw)]
Takedowns = Annotated[TakedownService, Depends(_takedowns)]

Word = Annotated[str | None, Query(), text(128, min_length=1)]
Order = Annotated[Literal["newest", "oldest"], Query()]
Ranking = Annotated[Literal["relevance", "newest", "oldest"], Query(description="Without q: newest for relevance.")]
Highlight = Annotated[bool, Query(description="Add snippets with the found words in <em>.")]
SearchText = Annotated[
    str | None,
    Query(
        max_length=1000,
        description='Words must all occur; "phrase", -word, a OR b. Any text is fine. Leave out to find everything.',
    ),
]


def _search_filters(
    *,
    caller: CallerDep,
    task_id: Word = None,
    author: Annotated[str | None, Query(description="Username, in any case."), text(128, min_length=1)] = None,
    lang: Word = None,
    kind: Annotated[Kind | None, Query()] = None,
    platform: Word = None,
    since: Annotated[Moment | None, Query(description="Written at or after.")] = None,
    until: Annotated[Moment | None, Query(description="Written before.")] = None,
    has_media: Annotated[bool | None, Query()] = None,
) -> ItemFilter:
    return ItemFilter(
        owner=caller.owner_filter,
        task_id=task_id,
        author=None if author is None else author.removeprefix("@"),
        lang=lang,
        kind=kind,
        platform=platform,
        since=since,
        until=until,
        has_media=has_media,
    )


SearchFilters = Annotated[ItemFilter, Depends(_search_filters)]


def _filters(
    wanted: SearchFilters,
    execution_id: Word = None,
    role: Annotated[Role | None, Query(description="How it stands to the task; needs task_id or execution_id.")] = None,
) -> ItemFilter:
    return replace(wanted, execution_id=execution_id, role=role)


Filters = Annotated[ItemFilter, Depends(_filters)]
