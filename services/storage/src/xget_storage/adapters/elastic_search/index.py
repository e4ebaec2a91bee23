"""The search index in Elasticsearch.

After kill -9 of this process: what was acknowledged is there, what was not is written again by the consumer or by
`catch_up`, and versions keep it from being doubled or undone. After kill -9 of the engine: the same, from its own log.
An engine that is away is waited for by who writes and is a 503 for who searches; after some failures it is asked by one
call every two seconds only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager

from elasticsearch import ApiError, NotFoundError

from xget_kernel.breaker import Breaker
from xget_storage.adapters.elastic_search import indexes
from xget_storage.adapters.elastic_search.connection import Connection, away
from xget_storage.adapters.elastic_search.documents import Line, deletion_lines, item_lines
from xget_storage.adapters.elastic_search.layout import Names
from xget_storage.adapters.elastic_search.opening import Opening
from xget_storage.adapters.elastic_search.querying import ANSWER, nothing, page, request, steady
from xget_storage.adapters.elastic_search.rebuilding import ElasticRebuild, rebuilding
from xget_storage.adapters.elastic_search.writing import BulkWriter, NoTarget
from xget_storage.models import StoredItem
from xget_storage.ports import SearchPage, SearchQuery
from xget_storage.service.analysis import Analyzer
from xget_storage.service.queries import parse_query
from xget_telemetry.metrics import Registry

_LOOKS = 5


class ElasticSearch:
    """`SearchIndex` on Elasticsearch; see the port for what each method promises.

    `prefix` begins all names. What is written is found within a second, with `refresh` at once.
    """

    def __init__(
        self, url: str, analyzer: Analyzer, *, prefix: str, refresh: bool = False, registry: Registry | None = None
    ) -> None:
        self._connection = Connection(url)
        self._analyzer = analyzer
        self._names = Names(prefix)
        self._writer = BulkWriter(self._connection, registry or Registry(), refresh=refresh)
        self._targets: tuple[str, ...] = ()
        self._opening = Opening(self._connection, self._prepare)

    async def open(self) -> None:
        """Make or judge the indexes. Raises StartupError after ten seconds without an answer, or for what is wrong."""
        await self._opening.now()

    async def open_soon(self) -> None:
        """The same, but who does not answer is waited for in the background: until then all calls raise SearchAway.

        Raises StartupError for an engine that answers and cannot be used; later, SearchAway says so.
        """
        await self._opening.soon()

    @property
    def trouble(self) -> str | None:
        """Why search cannot be used since the start, as a sentence."""
        return self._connection.unfit or None

    @property
    def breaker(self) -> Breaker:
        """The way to the engine."""
        return self._connection.breaker

    async def _prepare(self) -> None:
        self._targets = (await indexes.prepare(self._connection.client, self._names)).targets

    async def index(self, items: Sequence[StoredItem]) -> None:
        if items:
            await self._write(lambda: item_lines(items, self._analyzer))

    async def delete(self, revs: dict[str, int]) -> None:
        if revs:
            await self._write(lambda: deletion_lines(revs))

    async def _write(self, lines: Callable[[], Iterable[Line]]) -> None:
        for _ in range(_LOOKS):
            targets = self._targets or await self._look()
            try:
                return await self._writer.write(lines(), targets)
            except NoTarget:
                self._targets = ()
        raise away("changes its aliases all the time")

    async def _look(self) -> tuple[str, ...]:
        """Where to write now. A rebuild may have begun or ended since the last look."""
        client = self._connection.client
        self._targets = (await self._connection.ask(lambda: indexes.find(client, self._names))).targets
        if not self._targets:
            raise away(f"has no alias {self._names.write}: `xget search reindex` makes the index again")
        return self._targets

    async def search(self, query: SearchQuery) -> SearchPage:
        parsed = None if query.text is None else parse_query(query.text, self._analyzer)
        if parsed is not None and parsed.is_empty:
            return nothing()
        body = request(query, parsed)
        for _ in range(_LOOKS):
            try:
                answer = await self._connection.ask(
                    lambda: self._connection.client.search(
                        index=self._names.read,
                        body=body,
                        filter_path=ANSWER,
                        preference=steady(query),
                        allow_partial_search_results=False,
                    )
                )
            except NotFoundError:
                continue  # the index was replaced while it was asked
            except ApiError as error:
                raise away(f"cannot search ({error.status_code} {error.error})") from error
            return page(answer, query.size)
        raise away(f"has no alias {self._names.read}: `xget search reindex` makes the index again")

    def rebuilding(self) -> AbstractAsyncContextManager[ElasticRebuild]:
        return rebuilding(self._connection, self._names, self._analyzer)

    async def close(self) -> None:
        await self._opening.close()
        await self._connection.close()
