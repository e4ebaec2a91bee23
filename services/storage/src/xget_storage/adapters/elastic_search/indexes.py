"""The indexes and aliases that are there, made and judged.

Making is idempotent and one atomic step each, so processes that start at once, or die in between, do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from elasticsearch import ApiError, AsyncElasticsearch, BadRequestError

from xget_kernel.errors import StartupError
from xget_storage.adapters.elastic_search.layout import MAPPING, SETTINGS, Names, fits
from xget_telemetry.logs import get_logger

_logger = get_logger(__name__)
_PRIORITY = 500


@dataclass(frozen=True)
class Found:
    """Index → its aliases and mapping: what bears one of our names."""

    names: Names
    indexes: dict[str, dict[str, Any]]

    def behind(self, alias: str) -> list[str]:
        """Indexes that an alias names."""
        return [name for name, index in self.indexes.items() if alias in index.get("aliases", {})]

    @property
    def serving(self) -> str | None:
        """The index that is searched."""
        return next(iter(self.behind(self.names.read)), None)

    @property
    def targets(self) -> tuple[str, ...]:
        """The aliases to write to."""
        names = self.names
        return tuple(alias for alias in (names.write, names.old, names.new) if self.behind(alias))

    def next_number(self) -> int:
        """A number above all that are taken."""
        return max((self.names.number(name) or 0 for name in self.indexes), default=0) + 1


async def find(client: AsyncElasticsearch, names: Names) -> Found:
    """What is there now."""
    answer = await client.indices.get(
        index=[f"{names.read}*"], features=["aliases", "mappings"], expand_wildcards=["open", "closed"]
    )
    found = {name: index for name, index in answer.items() if names.number(name) or _bears(index, names)}
    plain = [alias for alias in names.aliases if alias in answer]
    if plain:
        raise StartupError(
            f"Elasticsearch has an index called {plain[0]}, where XGet needs an alias: delete it, or set "
            "ELASTICSEARCH_INDEX to another first part of names."
        )
    return Found(names, found)


async def prepare(client: AsyncElasticsearch, names: Names) -> Found:
    """The template, and a first index behind the aliases when there is none. Raises StartupError."""
    await _template(client, names)
    found = await find(client, names)
    if found.serving is None:
        await _first(client, names, found)
        found = await find(client, names)
    serving = found.behind(names.read)
    if len(serving) != 1:
        raise StartupError(
            f"The alias {names.read} names {len(serving)} indexes ({', '.join(sorted(serving))}): "
            "take it from all but one."
        )
    if not fits(found.indexes[serving[0]].get("mappings", {})):
        raise StartupError(
            f"The index {serving[0]} behind the alias {names.read} has a mapping that is not this XGet's: set "
            "ELASTICSEARCH_INDEX to another first part of names, or delete that index, start again and run "
            "`xget search reindex`."
        )
    if not found.targets:
        await client.indices.put_alias(index=serving[0], name=names.write)
        found = await find(client, names)
    return found


async def create(client: AsyncElasticsearch, name: str, aliases: tuple[str, ...], settings: dict[str, Any]) -> None:
    """Make an index, with its own settings above the template's; one that is there is taken as it is."""
    try:
        await client.indices.create(
            index=name,
            settings=SETTINGS | settings,
            mappings=MAPPING,
            aliases={alias: {} for alias in aliases},
            wait_for_active_shards=1,
        )
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise


async def _template(client: AsyncElasticsearch, names: Names) -> None:
    try:
        await client.indices.put_index_template(
            name=names.template,
            index_patterns=[f"{names.template}-*"],
            template={"settings": {"index": SETTINGS}, "mappings": MAPPING},
            priority=_PRIORITY,
        )
    except BadRequestError as error:
        raise StartupError(
            f"The index template {names.template} cannot be made, because another one has the same pattern and "
            "priority: delete that one, or set ELASTICSEARCH_INDEX to another first part of names."
        ) from error


async def _first(client: AsyncElasticsearch, names: Names, found: Found) -> None:
    name = names.index(found.next_number())
    await create(client, name, (names.read, names.write), {})
    _logger.warning("search_index_created", index=name, hint="xget search reindex fills it from the documents")


def _bears(index: dict[str, Any], names: Names) -> bool:
    return any(alias in index.get("aliases", {}) for alias in names.aliases)


def is_missing(error: ApiError) -> bool:
    """Whether a call found no such index or alias."""
    return error.status_code == 404
