"""Items."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from xget_contracts.items import Struct
from xget_kernel.errors import Forbidden
from xget_storage.deps import Data, Filters, Highlight, Ranking, Reader, SearchFilters, SearchText, Seen, Writer
from xget_storage.errors import (
    AuthorForgottenHere,
    AuthorNotFound,
    BadFilter,
    ItemChanged,
    ItemExists,
    ItemNotFound,
    ItemShared,
)
from xget_storage.models import AuditEntry, ItemView, StoredAuthor, StoredItem, view
from xget_storage.ports import SearchQuery
from xget_storage.router.wire import answer
from xget_storage.schemas import BatchCreate, BatchOutcome, BatchResult, ItemCreate, ItemEdit, answers
from xget_storage.service.reading import ItemList, SearchResult
from xget_web.auth import CallerDep
from xget_web.etags import IfMatch, check_if_match, etag
from xget_web.paging import CursorParam, PageParams
from xget_web.problems import errors
from xget_web.types import PathId

router = APIRouter(prefix="/api/v1/data", tags=["data"])

_TAKEN = "This native_id is taken or was deleted: choose another."


class AuditList(Struct, kw_only=True, omit_defaults=False):
    """All changes of an item."""

    items: list[AuditEntry]


@router.get("", responses={**answers(ItemList), **errors(BadFilter)})
async def list_items(wanted: Filters, page: PageParams, reader: Reader, cursor: CursorParam = None) -> Response:
    """Items newest first, by page or by cursor."""
    return answer(await reader.find(wanted, page, cursor))


@router.get("/search", responses=answers(SearchResult))
async def search_items(
    *,
    wanted: SearchFilters,
    reader: Reader,
    q: SearchText = None,
    sort: Ranking = "relevance",
    size: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: CursorParam = None,
    highlight: Highlight = True,
) -> Response:
    """Items by text, with counts per language, author and day over all that was found."""
    query = SearchQuery(text=q, wanted=wanted, sort=sort, size=size)
    return answer(await reader.search(query, cursor, highlights=highlight))


@router.post(
    "", status_code=201, responses={**answers(ItemView, 201), **errors(ItemExists, AuthorForgottenHere, Forbidden)}
)
async def create_item(body: ItemCreate, data: Data, caller: Writer) -> Response:
    """Store an item of your own."""
    return _shown(await data.create(body.draft(), caller), caller.owner_filter, 201)


@router.post("/batch", responses={**answers(BatchResult), **errors(AuthorForgottenHere, Forbidden)})
async def create_items(body: BatchCreate, data: Data, caller: Writer) -> Response:
    """Store up to 1,000 items of your own; each has its own outcome."""
    created = await data.create_many([item.draft() for item in body.items], caller)
    outcomes = [_outcome(place, item) for place, item in enumerate(created)]
    done = sum(item is not None for item in created)
    return answer(BatchResult(created=done, failed=len(created) - done, items=outcomes))


@router.get("/authors/{author_id}", responses={**answers(StoredAuthor), **errors(AuthorNotFound)})
async def get_author(author_id: PathId, data: Data, caller: CallerDep) -> Response:
    """The author of items of yours, by key (`x:44196397`): the profile as last seen."""
    return answer(await data.author(author_id, caller))


@router.get("/{item_id}", responses={**answers(ItemView), **errors(ItemNotFound)})
async def get_item(item_id: PathId, data: Data, seen: Seen, caller: CallerDep) -> Response:
    """One item, by its key (`x:1234567890`); `superseded_by` names the latest version of a post that was edited."""
    item = await data.get(item_id, caller)
    return _shown(item, caller.owner_filter, superseded_by=await seen.superseded_by(item, caller))


@router.put("/{item_id}", responses={**answers(ItemView), **errors(ItemNotFound, ItemShared, ItemChanged, Forbidden)})
async def edit_item(item_id: PathId, body: ItemEdit, data: Data, caller: Writer, if_match: IfMatch = None) -> Response:
    """Set fields over what was collected; no later collection changes them back."""
    edits: dict[str, Any] = body.model_dump(exclude_unset=True)
    rev = None
    if if_match is not None:
        seen = await data.get(item_id, caller)
        check_if_match(if_match, _etag(seen))
        rev = seen.rev
    return _shown(await data.edit(item_id, edits, caller, rev), caller.owner_filter)


@router.delete("/{item_id}", status_code=204, responses=errors(ItemNotFound, Forbidden))
async def delete_item(item_id: PathId, data: Data, caller: Writer) -> Response:
    """Delete an item; no later collection brings it back. An administrator deletes it for everybody."""
    await data.delete(item_id, caller)
    return Response(status_code=204)


@router.get("/{item_id}/audit", responses={**answers(AuditList), **errors(ItemNotFound)})
async def audit_item(item_id: PathId, data: Data, caller: CallerDep) -> Response:
    """Who changed an item, and when; deleted items have a history too."""
    return answer(AuditList(items=await data.audit(item_id, caller)))


def _shown(item: StoredItem, owner: str | None, status: int = 200, **more: Any) -> Response:
    return answer(view(item, owner, **more), status, {"ETag": _etag(item)})


def _etag(item: StoredItem) -> str:
    return etag(item.key, item.rev)


def _outcome(place: int, item: StoredItem | None) -> BatchOutcome:
    if item is None:
        return BatchOutcome(index=place, status="exists", key=None, error=_TAKEN)
    return BatchOutcome(index=place, status="created", key=item.key, error=None)
