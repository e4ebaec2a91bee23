"""Search queries as the engine's own, and its answers as ours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from xget_kernel.pages import bad_cursor
from xget_storage.adapters.elastic_search.documents import fitting, scope
from xget_storage.adapters.places import place
from xget_storage.adapters.sqlite_rows import micros
from xget_storage.ports import ItemFilter, SearchPage, SearchQuery
from xget_storage.service.queries import ParsedQuery, Term

_MOST_FACETS: Final = 50
_EXPANSIONS: Final = 1_000_000
"""Only for characters beyond the first plane: for all others the prefixes are tokens of their own."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FACETS: Final[dict[str, Any]] = {
    "lang": {"terms": {"field": "lang", "size": _MOST_FACETS, "order": [{"_count": "desc"}, {"_key": "asc"}]}},
    "author": {"terms": {"field": "author", "size": _MOST_FACETS, "order": [{"_count": "desc"}, {"_key": "asc"}]}},
    "day": {"terms": {"field": "day", "size": _MOST_FACETS, "order": {"_key": "desc"}}},
}
_SORTS: Final[dict[str, list[Any]]] = {
    "relevance": [{"_score": "desc"}, {"at": "desc"}, {"key": "desc"}],
    "newest": [{"at": "desc"}, {"key": "desc"}],
    "oldest": [{"at": "asc"}, {"key": "asc"}],
}
ANSWER: Final = ["hits.total.value", "hits.hits.sort", "aggregations.*.buckets.key", "aggregations.*.buckets.doc_count"]


def request(query: SearchQuery, parsed: ParsedQuery | None) -> dict[str, Any]:
    """The body of a search. Raises Invalid (422) for a foreign cursor."""
    sort = "newest" if query.sort == "relevance" and not (parsed and parsed.groups) else query.sort
    body: dict[str, Any] = {
        "query": _query(parsed, query.wanted, scored=sort == "relevance"),
        "sort": _SORTS[sort],
        "size": query.size + 1,
        "track_total_hits": True,
        "_source": False,
        "aggs": _FACETS,
    }
    if query.after is not None:
        body["search_after"] = _after(query.after, sort)
    return body


def page(answer: Any, size: int) -> SearchPage:
    """What the engine found."""
    hits = [hit["sort"] for hit in answer["hits"].get("hits", ())]
    facets = {
        name: {_label(name, bucket["key"]): bucket["doc_count"] for bucket in found.get("buckets", ())}
        for name, found in answer.get("aggregations", {}).items()
    }
    cursor = hits[size - 1] if len(hits) > size else None
    return SearchPage(
        keys=[hit[-1] for hit in hits[:size]],
        total=answer["hits"]["total"]["value"],
        facets={name: facets.get(name, {}) for name in _FACETS},
        cursor=cursor,
    )


def nothing() -> SearchPage:
    """The answer to text without words."""
    return SearchPage(keys=[], total=0, facets={name: {} for name in _FACETS}, cursor=None)


def steady(query: SearchQuery) -> str:
    """One and the same copy of the index for all pieces of a search: copies score a little differently."""
    return blake2b(f"{query.wanted.owner}\n{query.text}".encode(errors="replace"), digest_size=8).hexdigest()


def _label(name: str, key: Any) -> str:
    return (_EPOCH + timedelta(days=key)).date().isoformat() if name == "day" else str(key)


def _after(after: Any, sort: str) -> list[Any]:
    if sort != "relevance":
        return list(place(after))
    match after:
        case [float() | int() as score, at, key] if math.isfinite(score):
            return [score, *place([at, key])]
    raise bad_cursor()


def _query(parsed: ParsedQuery | None, wanted: ItemFilter, *, scored: bool) -> dict[str, Any]:
    groups = [] if parsed is None else [_any_of(group) for group in parsed.groups]
    without = [] if parsed is None else [_term(term) for term in parsed.excluded]
    if not groups:
        without.append({"term": {"deleted": True}})  # a deletion has no words, so words do not find it
    where: list[Any] = [{"term": {field: value}} for field, value in _filters(wanted)]
    where += [{"range": {"at": bounds}} for bounds in _times(wanted)]
    if scored:
        return {"bool": {"must": groups, "filter": where, "must_not": without}}
    return {"bool": {"filter": [*groups, *where], "must_not": without}}


def _any_of(group: tuple[Term, ...]) -> dict[str, Any]:
    terms = [_term(term) for term in group]
    return terms[0] if len(terms) == 1 else {"bool": {"should": terms, "minimum_should_match": 1}}


def _term(term: Term) -> dict[str, Any]:
    text = fitting(" ".join(term.tokens))
    if len(term.tokens) == 1:
        return {"prefix": {"terms": {"value": text}}} if term.prefix else {"term": {"terms": {"value": text}}}
    if term.prefix:
        return {"match_phrase_prefix": {"terms": {"query": text, "max_expansions": _EXPANSIONS}}}
    return {"match_phrase": {"terms": {"query": text}}}


def _filters(wanted: ItemFilter) -> Iterator[tuple[str, Any]]:
    if wanted.owner is not None and wanted.task_id:
        yield "scopes", scope(wanted.owner, wanted.task_id)
    elif wanted.owner is not None:
        yield "owners", wanted.owner
    elif wanted.task_id:
        yield "tasks", wanted.task_id
    if wanted.author is not None:
        yield "author", wanted.author.casefold()
    for field in ("lang", "kind", "platform"):
        if (value := getattr(wanted, field)) is not None:
            yield field, value
    if wanted.has_media is not None:
        yield "has_media", wanted.has_media


def _times(wanted: ItemFilter) -> Iterator[dict[str, int]]:
    bounds = {}
    if wanted.since is not None:
        bounds["gte"] = micros(wanted.since)
    if wanted.until is not None:
        bounds["lt"] = micros(wanted.until)
    if bounds:
        yield bounds
