"""From a raw page to items: pure, one page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import zstandard

from xget_contracts.events import PageCollected, PageParsed
from xget_contracts.items import Rejected
from xget_processing.service.cleaning import clean_item
from xget_processing.service.language import LanguageRules
from xget_sources.ports import KnownFields, PageToParse, Parsed, Source
from xget_telemetry.logs import get_logger

_logger = get_logger(__name__)
_LARGEST_BODY: Final = 128 * 1024 * 1024
NO_PARSER: Final = "none"
WHOLE_PAGE: Final = "$"


class ParsedPage(msgspec.Struct, kw_only=True):
    """What came of a page."""

    page: PageCollected
    result: PageParsed
    rejected: list[Rejected]
    """Each with a path of its own."""


class PageParser:
    """Parses pages with the source that collected them."""

    def __init__(self, sources: Mapping[str, Source], languages: LanguageRules) -> None:
        self._sources = sources
        self._languages = languages

    def parse(self, page: PageCollected) -> ParsedPage:
        """Never raises for a strange page: what cannot be read is `rejected`. CPU-bound: call it in a thread."""
        source = self._sources.get(page.route)
        if source is None:
            found = _refused(f"no source {page.route!r} is installed", page.body_zstd)
        else:
            found = self._parse(source, page)
        for item in found.items:
            clean_item(item)
            item.lang = self._languages.of(item)
        rejected = _distinct(found.rejected)
        result = _result(page, found, self.version_of(page.route), len(rejected))
        return ParsedPage(page=page, result=result, rejected=rejected)

    def version_of(self, route: str) -> str:
        """The version of a source's parser, `none` for a source that is not installed."""
        source = self._sources.get(route)
        return NO_PARSER if source is None else source.parser_version

    def fields(self, page: PageCollected) -> Mapping[str, frozenset[str]]:
        """The fields of a page's records, by shape; none when it cannot be read. Costs more than parsing it."""
        source = self._sources.get(page.route)
        if source is None:
            return {}
        try:
            return source.fields(_to_parse(page, _body(page)))
        except Exception:
            _logger.exception("fields_failed", route=page.route, execution_id=page.execution_id, page_no=page.page_no)
            return {}

    def known_fields(self, route: str) -> KnownFields | None:
        """The fields that a source's parser was written for; None for a source that is not installed."""
        source = self._sources.get(route)
        return None if source is None else source.known_fields()

    def _parse(self, source: Source, page: PageCollected) -> Parsed:
        try:
            body = _body(page)
        except zstandard.ZstdError as error:
            return _refused(f"the page's body does not decompress: {error}", page.body_zstd)
        try:
            return source.parse(_to_parse(page, body))
        except Exception as error:
            _logger.exception("parser_failed", route=page.route, execution_id=page.execution_id, page_no=page.page_no)
            return _refused(f"the parser failed: {type(error).__name__}: {error}", body)


def _body(page: PageCollected) -> bytes:
    return zstandard.ZstdDecompressor().decompress(page.body_zstd, max_output_size=_LARGEST_BODY)


def _to_parse(page: PageCollected, body: bytes) -> PageToParse:
    return PageToParse(
        task_type=page.task_type,
        operation=page.operation,
        body=body,
        match_keys=frozenset(page.match_keys),
        fetched_at=page.fetched_at,
    )


def _refused(reason: str, body: bytes) -> Parsed:
    return Parsed(items=[], authors=[], rejected=[Rejected(path=WHOLE_PAGE, reason=reason, raw=body)])


def _distinct(rejected: list[Rejected]) -> list[Rejected]:
    """The same records, each under a path of its own: the path is what quarantine knows them by."""
    seen: dict[str, int] = {}
    for record in rejected:
        seen[record.path] = seen.get(record.path, 0) + 1
        if seen[record.path] > 1:
            record.path = f"{record.path}#{seen[record.path]}"
    return rejected


def _result(page: PageCollected, found: Parsed, version: str, quarantined: int) -> PageParsed:
    return PageParsed(
        execution_id=page.execution_id,
        task_id=page.task_id,
        owner_id=page.owner_id,
        page_no=page.page_no,
        platform=page.platform,
        route=page.route,
        task_type=page.task_type,
        parser_version=version,
        fetched_at=page.fetched_at,
        items=found.items,
        authors=found.authors,
        quarantined=quarantined,
        attempt=page.attempt,
    )
