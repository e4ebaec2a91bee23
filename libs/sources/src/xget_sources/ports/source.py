"""A platform as a plug-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from xget_sources.ports.pages import (
    CollectRequest,
    Counted,
    KnownFields,
    PageToParse,
    Parsed,
    Preview,
    RawPage,
    Target,
    TaskTypeSpec,
)
from xget_sources.ports.sessions import Session


class Source(Protocol):
    """A platform, found by entry point group `xget.sources`."""

    platform: str
    route: str
    parser_version: str
    needs_account: bool
    task_types: Mapping[str, TaskTypeSpec]
    aliases: Mapping[str, str]

    def targets(self, task_type: str, parameters: Mapping[str, Any]) -> Iterator[Target]:
        """The targets of valid parameters: one for most tasks, else in the order given, each once, made as they are
        read. Raises SourceStopped for parameters that are not valid (any more).
        """

    def preview(self, task_type: str, parameters: Mapping[str, Any]) -> Preview:
        """What a task with these valid parameters would ask; nothing is asked. Raises SourceStopped as `targets`."""

    def collect(self, request: CollectRequest, session: Session, cursor: str | None) -> AsyncIterator[RawPage]:
        """Yield pages from `cursor` on (None = from the start), one account lease each.

        Ends after a page with `end_reason`; raises NoAccount or SourceStopped.
        """

    def parse(self, page: PageToParse) -> Parsed:
        """Turn one page into items and authors. Pure; never raises for a strange payload: it rejects."""

    def fields(self, page: PageToParse) -> Mapping[str, frozenset[str]]:
        """The fields that a page's records have, by shape: paths like `legacy.entities.urls[].url`, and `path!type`
        for a known field with a value of a type that it never had. Pure, never raises, costs more than a parse.
        """

    def known_fields(self) -> KnownFields:
        """What `fields` is measured against: what is not known is new; a usual field that stays away is gone."""

    async def close(self) -> None:
        """Close pooled connections."""


@runtime_checkable
class Counting(Protocol):
    """A source that can be asked how many posts a search has, without reading them."""

    async def count(self, task_type: str, parameters: Mapping[str, Any], session: Session) -> Counted:
        """How many posts a search with these valid parameters has. Raises NoAccount, NotOffered, SourceStopped."""
