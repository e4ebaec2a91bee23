"""Search queries as SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from xget_kernel.pages import bad_cursor
from xget_storage.adapters.places import place
from xget_storage.adapters.sqlite_rows import micros, moment
from xget_storage.ports import ItemFilter, SearchPage, SearchQuery
from xget_storage.service.analysis import Analyzer
from xget_storage.service.queries import ParsedQuery, Term, parse_query

_LARGEST: Final = 2**63 - 1
_MOST_FACETS: Final = 50
_DAY: Final = timedelta(days=1) // timedelta(microseconds=1)
_ORDERS: Final = {
    "relevance": "bm25(words), d.at DESC, d.key DESC",
    "newest": "d.at DESC, d.key DESC",
    "oldest": "d.at, d.key",
}


def search(connection: sqlite3.Connection, query: SearchQuery, analyzer: Analyzer) -> SearchPage:
    """One piece of what a query finds, with counts over all of it."""
    parsed = None if query.text is None else parse_query(query.text, analyzer)
    if parsed is not None and parsed.is_empty:
        return SearchPage(keys=[], total=0, facets={"lang": {}, "author": {}, "day": {}}, cursor=None)
    source, conditions, values = _selection(parsed, query.wanted)
    where = " AND ".join(conditions)
    sort = "newest" if query.sort == "relevance" and not (parsed and parsed.groups) else query.sort
    offset = _offset(query.after) if sort == "relevance" else 0
    beyond, beyond_values = _after(query.after, sort)
    sql = f"SELECT d.at, d.key FROM {source} WHERE {where}{beyond} ORDER BY {_ORDERS[sort]} LIMIT ? OFFSET ?"  # noqa: S608 - constants
    rows = connection.execute(sql, [*values, *beyond_values, query.size + 1, offset]).fetchall()
    total, facets = _counts(connection, source, where, values)
    cursor = None
    if len(rows) > query.size:
        rows = rows[: query.size]
        cursor = [offset + query.size] if sort == "relevance" else list(rows[-1])
    return SearchPage(keys=[key for _, key in rows], total=total, facets=facets, cursor=cursor)


def _selection(parsed: ParsedQuery | None, wanted: ItemFilter) -> tuple[str, list[str], list[Any]]:
    source, conditions, values = "found d", ["d.deleted = 0"], []
    if parsed is not None and parsed.groups:
        source = "words JOIN found d ON d.id = words.rowid"
        conditions.append("words MATCH ?")
        values.append(_match(parsed))
    elif parsed is not None:
        conditions.append("d.id NOT IN (SELECT rowid FROM words WHERE words MATCH ?)")
        values.append(" OR ".join(map(_phrase, parsed.excluded)))
    for condition, value in _filters(wanted):
        conditions.append(condition)
        values.extend(value)
    return source, conditions, values


def _match(parsed: ParsedQuery) -> str:
    """An FTS5 expression. Tokens are letters and digits in quotes, so nothing in them is syntax."""
    wanted = " AND ".join(f"({' OR '.join(map(_phrase, group))})" for group in parsed.groups)
    if not parsed.excluded:
        return wanted
    return f"({wanted}) NOT ({' OR '.join(map(_phrase, parsed.excluded))})"


def _phrase(term: Term) -> str:
    return f'"{" ".join(term.tokens)}"{" *" if term.prefix else ""}'


def _filters(wanted: ItemFilter) -> Iterator[tuple[str, list[Any]]]:
    if wanted.owner is not None:
        yield (
            "EXISTS (SELECT 1 FROM scopes s WHERE s.id = d.id AND s.owner = ? AND s.task = ?)",
            [wanted.owner, wanted.task_id or ""],
        )
    elif wanted.task_id is not None:
        yield "EXISTS (SELECT 1 FROM scopes s WHERE s.id = d.id AND s.task = ?)", [wanted.task_id]
    if wanted.author is not None:
        yield "d.author = ?", [wanted.author.casefold()]
    for column in ("lang", "kind", "platform"):
        if (value := getattr(wanted, column)) is not None:
            yield f"d.{column} = ?", [value]
    if wanted.since is not None:
        yield "d.at >= ?", [micros(wanted.since)]
    if wanted.until is not None:
        yield "d.at < ?", [micros(wanted.until)]
    if wanted.has_media is not None:
        yield "d.has_media = ?", [int(wanted.has_media)]


def _offset(after: Sequence[Any] | None) -> int:
    match after:
        case None:
            return 0
        case [int(offset)] if 0 <= offset <= _LARGEST:
            return offset
    raise bad_cursor()


def _after(after: Sequence[Any] | None, sort: str) -> tuple[str, list[Any]]:
    if after is None or sort == "relevance":
        return "", []
    at, key = place(after)
    return f" AND (d.at, d.key) {'<' if sort == 'newest' else '>'} (?, ?)", [at, key]


def _counts(
    connection: sqlite3.Connection, source: str, where: str, values: Sequence[Any]
) -> tuple[int, dict[str, dict[str, int]]]:
    days = f"(d.at - ((d.at % {_DAY}) + {_DAY}) % {_DAY})"
    sql = (
        f"WITH m AS MATERIALIZED (SELECT d.lang AS lang, d.author AS author, {days} AS day FROM {source} WHERE {where})"  # noqa: S608 - constants
        " SELECT 'total', NULL, count(*) FROM m"
        + "".join(
            f" UNION ALL SELECT * FROM (SELECT '{name}', {name}, count(*) AS n FROM m WHERE {name} IS NOT NULL"  # noqa: S608 - constants
            f" GROUP BY 2 ORDER BY {order} LIMIT {_MOST_FACETS})"
            for name, order in (("lang", "n DESC, 2"), ("author", "n DESC, 2"), ("day", "2 DESC"))
        )
    )
    total = 0
    facets: dict[str, dict[str, int]] = {"lang": {}, "author": {}, "day": {}}
    for name, value, count in connection.execute(sql, values):
        if name == "total":
            total = count
        else:
            facets[name][moment(value).date().isoformat() if name == "day" else value] = count
    return total, facets
