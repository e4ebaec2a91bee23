"""The client, and what its errors mean.

Nothing is kept here: after kill -9 of this process or of the engine the next call finds the engine as it is. Bulk
requests and searches may be sent again: writes carry their versions.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch, UnsupportedProductError

from xget_kernel.breaker import Breaker
from xget_kernel.engines import masked
from xget_kernel.errors import StartupError
from xget_storage.errors import SearchAway
from xget_telemetry.logs import get_logger

_Answer = TypeVar("_Answer")
_logger = get_logger(__name__)

PEER: Final = "Elasticsearch"
SEARCH_SECONDS: Final = 10.0
BULK_SECONDS: Final = 30.0
_RETRY_AFTER: Final = {"Retry-After": "2"}
_AWAY: Final = frozenset({429, 502, 503, 504})
_NEEDED: Final = 9


class Connection:
    """One client for one event loop. `url`: one or more, separated by commas; user and password in it."""

    def __init__(self, url: str) -> None:
        self.shown = masked(url)
        self.breaker = Breaker(PEER, failures=(SearchAway,))
        self.unfit = ""
        """Why nothing may be asked yet, as a sentence."""
        # Its errors come back as exceptions, and who waits for the engine would read a line for each attempt.
        logging.getLogger("elastic_transport").setLevel(logging.CRITICAL + 1)
        try:
            self.client = _client(url)
        except ValueError as error:
            raise StartupError(
                f"ELASTICSEARCH_URL ({self.shown}) is no address: write it like http://user:password@host:9200."
            ) from error

    async def ask(self, call: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """The answer to one call. Raises SearchAway (503), at once while the engine is known to be away or unfit."""
        if self.unfit:
            raise SearchAway(self.unfit, headers=_RETRY_AFTER)
        with self.breaker.guard():
            return await self.plain(call)

    async def plain(self, call: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """As `ask`, but asks in any case."""
        try:
            return await call()
        except TransportError as error:
            raise away(f"does not answer ({type(error).__name__})") from error
        except ApiError as error:
            if error.status_code in _AWAY:
                raise away(f"answers {error.status_code} ({error.error})") from error
            if error.status_code in (401, 403):
                raise away(f"refuses these credentials ({error.status_code})") from error
            raise

    async def attempt(self, prepare: Callable[[], Awaitable[None]]) -> None:
        """Judge the engine, then `prepare` what is needed in it. Raises SearchAway; StartupError for what is wrong."""
        try:
            await self._judge()
            await self.plain(prepare)
        except SearchAway as error:
            if isinstance(error.__cause__, ApiError) and error.__cause__.status_code in (401, 403):
                self._no_right(error.__cause__)
            raise

    def absent(self, error: SearchAway) -> str:
        """What to do about an engine that is away, in one sentence."""
        return (
            f"{PEER} at {self.shown} {error.detail.partition(' ')[2].partition(';')[0]}: "
            "start it, correct ELASTICSEARCH_URL, or unset it to search in a file."
        )

    async def _judge(self) -> None:
        """Refuse an engine that this client cannot work with. Who may not ask for its version goes on without."""
        try:
            answer = await self.client.nodes.info(filter_path="nodes.*.version")
        except UnsupportedProductError as error:
            raise StartupError(
                f"What answers at ELASTICSEARCH_URL ({self.shown}) is not Elasticsearch: correct the address."
            ) from error
        except TransportError as error:
            raise away(f"does not answer ({type(error).__name__})") from error
        except ApiError as error:
            if "media_type_header_exception" in str(error.body):
                self._wrong_version("an older one")
            if error.status_code == 401:
                self._no_right(error)
            if error.status_code in _AWAY:
                raise away(f"answers {error.status_code}") from error
            if error.status_code != 403:
                raise
            return
        for node in answer.get("nodes", {}).values():
            if int(node["version"].partition(".")[0]) < _NEEDED:
                self._wrong_version(node["version"])

    def _wrong_version(self, version: str) -> NoReturn:
        raise StartupError(
            f"Elasticsearch at {self.shown} is {version}, but client {_NEEDED} needs server {_NEEDED}: "
            f"upgrade the server, or point ELASTICSEARCH_URL to one that is {_NEEDED}."
        )

    def _no_right(self, error: ApiError) -> NoReturn:
        if error.status_code == 401:
            raise StartupError(
                f"Elasticsearch at {self.shown} does not know these credentials: correct ELASTICSEARCH_URL."
            ) from error
        raise StartupError(
            f"The user of ELASTICSEARCH_URL ({self.shown}) lacks rights there: it needs `all` on its own indexes "
            "(ELASTICSEARCH_INDEX and its aliases) and `manage_index_templates`."
        ) from error

    async def close(self) -> None:
        """Close the connections; twice is fine."""
        await self.client.close()


def away(what: str) -> SearchAway:
    """The error for an engine that cannot be used now."""
    return SearchAway(f"{PEER} {what}; try again soon.", headers=_RETRY_AFTER)


def _client(url: str) -> AsyncElasticsearch:
    given = [urlsplit(one.strip()) for one in url.split(",") if one.strip()]
    options = dict(pair for one in given for pair in parse_qsl(one.query))
    hosts = []
    for one in given:
        if one.scheme not in ("http", "https") or not one.hostname:
            raise ValueError("no http address")
        netloc = one.netloc if one.port else f"{one.netloc}:{443 if one.scheme == 'https' else 9200}"
        hosts.append(urlunsplit((one.scheme, netloc, one.path, "", "")))
    more: dict[str, Any] = {name: options[name] for name in ("api_key", "ca_certs") if name in options}
    return AsyncElasticsearch(
        hosts, request_timeout=SEARCH_SECONDS, max_retries=len(hosts) - 1, retry_on_timeout=False, **more
    )
