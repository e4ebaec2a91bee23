"""Names, settings and mapping of the indexes, as data.

`<prefix>-items-v1-000001` holds the items. Reads go through the alias `<prefix>-items`, writes through
`<prefix>-items-write`; while a rebuild runs there is no such alias but `<prefix>-items-write-old` and
`<prefix>-items-write-new`, so that a writer who has not heard of it is refused and looks again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

LAYOUT: Final = 1
"""Grows when the mapping changes: the indexes of another layout have other names."""

SETTINGS: Final[dict[str, Any]] = {
    # One shard: totals and counts per value are exact. It is good for some ten million items.
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    "refresh_interval": "1s",
}
_TEXT: Final[dict[str, Any]] = {
    "type": "text",
    "analyzer": "whitespace",
    "index_prefixes": {"min_chars": 1, "max_chars": 1},
}
_KEYWORD: Final[dict[str, Any]] = {"type": "keyword"}
_FILTER: Final[dict[str, Any]] = {"type": "keyword", "doc_values": False}
_FLAG: Final[dict[str, Any]] = {"type": "boolean", "doc_values": False}
MAPPING: Final[dict[str, Any]] = {
    "dynamic": "strict",
    "_meta": {"xget_layout": LAYOUT},
    "properties": {
        "key": {"type": "keyword", "index": False},
        "terms": _TEXT,
        "deleted": _FLAG,
        "kind": _FILTER,
        "platform": _FILTER,
        "lang": _KEYWORD,
        "author": _KEYWORD,
        "at": {"type": "long"},
        "day": {"type": "long", "index": False},
        "has_media": _FLAG,
        "owners": _FILTER,
        "tasks": _FILTER,
        "scopes": _FILTER,
    },
}


@dataclass(frozen=True)
class Names:
    """What everything of one prefix is called."""

    prefix: str

    @property
    def read(self) -> str:
        return f"{self.prefix}-items"

    @property
    def write(self) -> str:
        return f"{self.prefix}-items-write"

    @property
    def old(self) -> str:
        return f"{self.prefix}-items-write-old"

    @property
    def new(self) -> str:
        return f"{self.prefix}-items-write-new"

    @property
    def template(self) -> str:
        return f"{self.prefix}-items-v{LAYOUT}"

    @property
    def state(self) -> str:
        return f"{self.prefix}-items-rebuild"

    @property
    def aliases(self) -> tuple[str, str, str, str]:
        return self.read, self.write, self.old, self.new

    def index(self, number: int) -> str:
        """Name of the index with this number."""
        return f"{self.template}-{number:06}"

    def number(self, index: str) -> int | None:
        """Number of an index of any layout; None for one that is not ours."""
        found = re.fullmatch(re.escape(self.prefix) + r"-items-v\d+-(\d{6})", index)
        return None if found is None else int(found.group(1))


def fits(mapping: dict[str, Any]) -> bool:
    """Whether an index can be used: its mapping says what ours says, and knows no other fields."""
    return mapping.get("properties", {}).keys() == MAPPING["properties"].keys() and _says(mapping, MAPPING)


def _says(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(_says(given.get(name), value) for name, value in wanted.items())
    return bool(given == wanted)
