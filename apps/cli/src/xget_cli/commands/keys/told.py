"""What the services say of their keys, and of what these wrote."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from xget_cli.client import Client
from xget_cli.errors import CliError

KEEPERS: Final = {
    "account": "/api/v1/accounts/data-keys",
    "proxy": "/api/v1/proxies/data-keys",
    "auth": "/api/v1/auth/data-keys",
}
"""Services with secrets, and where they tell of their keys."""
_PIECE: Final = 200
_TOGETHER_MS: Final = 600_000
"""Services that have keys of their own get them one after another within this time, in one rotation."""
_LOOKS: Final = 6
_LOOK_SECONDS: Final = 0.5
"""A service may hear of a key that another one added a second later."""
Json = dict[str, Any]


@dataclass
class Told:
    """The keys: one set for all services, or (in tables) one for each."""

    by_service: dict[str, Json]
    newest: dict[str, str]
    """The key that encrypts, by service."""

    @classmethod
    def asked(cls, client: Client) -> Told:
        """Raises CliError when services that should have the same keys do not, also after a few seconds."""
        for _ in range(_LOOKS):
            by_service = {service: client.get(path) for service, path in KEEPERS.items()}
            newest = {s: next(k["id"] for k in one["keys"] if k["newest"]) for s, one in by_service.items()}
            told = cls(by_service, newest)
            differ = [group for group in told.groups if len({newest[service] for service in group}) > 1]
            if not differ:
                return told
            time.sleep(_LOOK_SECONDS)
        found = ", ".join(f"{service}: {newest[service]}" for service in differ[0])
        raise CliError(
            f"The services do not work with the same keys ({found}): give them one home, one XGET_KEYS_FILE or the "
            "same XGET_KEYS."
        )

    @property
    def groups(self) -> list[list[str]]:
        """Services with the same keys, together."""
        shared = [s for s, one in self.by_service.items() if one["place"] != "table"]
        return ([shared] if shared else []) + [[s] for s in self.by_service if s not in shared]

    def keys(self, group: list[str]) -> list[Json]:
        """The keys of services that share them, oldest first."""
        found: list[Json] = self.by_service[group[0]]["keys"]
        return found

    @property
    def troubles(self) -> dict[str, str]:
        return {service: one["trouble"] for service, one in self.by_service.items() if one["trouble"]}

    @property
    def json(self) -> Json:
        """As `--json` shows it: the keys once where all services have the same."""
        if len(self.groups) == 1:
            return {**self.by_service["account"], "trouble": self.troubles}
        own = {s: {"keys": one["keys"], "wraps_with": one["wraps_with"]} for s, one in self.by_service.items()}
        return {"place": "table", "services": own, "trouble": self.troubles}

    def to_rotate(self, found: Found) -> list[list[str]]:
        """Groups that need a new key: all, or those that a rotation under way has not come to."""
        late = [group for group in self.groups if found.late(self.newest, group)]
        if not late:
            return self.groups
        begun = min(_made_ms(self.newest[group[0]]) for group in late) - _TOGETHER_MS
        return [group for group in self.groups if group not in late and _made_ms(self.newest[group[0]]) < begun]


@dataclass
class Found:
    """What the secrets of all services are like."""

    counts: list[Json] = field(default_factory=list)
    unreadable: list[Json] = field(default_factory=list)
    rows: int = 0
    changed: int = 0

    def add(self, service: str, piece: Json) -> None:
        """Take in the answer to one piece."""
        self.rows += piece["rows"]
        self.changed += piece["changed"]
        self.unreadable += [{"service": service, **one} for one in piece["unreadable"]]
        for one in piece["counts"]:
            place = {"service": service, "table": one["table"], "column": one["column"], "key_id": one["key_id"]}
            known = next((c for c in self.counts if place.items() <= c.items()), None)
            if known is None:
                self.counts.append(known := {**place, "rows": 0, "unreadable": 0})
            known["rows"] += one["rows"]
            known["unreadable"] += one["unreadable"]

    @property
    def total(self) -> int:
        return sum(int(one["rows"]) for one in self.counts)

    @property
    def lost(self) -> int:
        """Secrets that cannot be opened."""
        return sum(int(one["unreadable"]) for one in self.counts)

    def late(self, newest: dict[str, str], services: list[str] | None = None) -> int:
        """Secrets that can be opened, and that another key wrote than the newest of their service."""
        return sum(
            one["rows"] - one["unreadable"]
            for one in self.counts
            if one["key_id"] != newest[one["service"]] and (services is None or one["service"] in services)
        )


def walked(client: Client, what: str) -> Found:
    """`check` or `reencrypt`: all pieces of all services."""
    found = Found()
    for service, path in KEEPERS.items():
        for piece in _pieces(client, f"{path}/{what}"):
            found.add(service, piece)
            _progress(f"{what}: {service} {found.rows} rows, {found.changed} changed")
    _progress("")
    return found


def say(text: str) -> None:
    """For people, beside the answer."""
    print(text, file=sys.stderr)  # noqa: T201 - a command line speaks by printing


def each_own(told: Told, of: Callable[[str], object]) -> str:
    """A fact of each group, with the services' names where they differ."""
    if len(told.groups) == 1:
        return str(of(told.groups[0][0]))
    return ", ".join(f"{group[0]}: {of(group[0])}" for group in told.groups)


def _pieces(client: Client, path: str) -> Iterator[Json]:
    cursor: str | None = None
    while True:
        piece = client.post(path, {"cursor": cursor, "limit": _PIECE})
        yield piece
        cursor = piece["next_cursor"]
        if cursor is None:
            return


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<78}" if text else f"\r{'':<78}\r", end="", file=sys.stderr, flush=True)  # noqa: T201 - as above


def _made_ms(key_id: str) -> int:
    """When a key was made, of a UUIDv7."""
    digits = key_id.replace("-", "")[:12]
    try:
        return int(digits, 16)
    except ValueError:
        return 0
