"""`xget keys …`"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from xget_cli.client import Client
from xget_cli.errors import CliError
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json, table

app = App(name="keys", help="Keys that encrypt secrets: what they wrote, and new ones.")

KEEPERS: Final = {
    "account": "/api/v1/accounts/data-keys",
    "proxy": "/api/v1/proxies/data-keys",
    "auth": "/api/v1/auth/data-keys",
}
"""Services with secrets, and where they tell of their keys."""
_PIECE: Final = 200
_PASSES: Final = 5
"""Others may write with the key of before for a second after a new one came."""
Json = dict[str, Any]


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
    def lost(self) -> int:
        """Secrets that cannot be opened."""
        return sum(int(one["unreadable"]) for one in self.counts)

    def late(self, newest: str) -> int:
        """Secrets that can be opened, and that another key wrote than the newest."""
        return sum(one["rows"] - one["unreadable"] for one in self.counts if one["key_id"] != newest)


@app.command
def status(*, common: Common = DEFAULTS) -> int:
    """Which keys there are, how many secrets each wrote, and which cannot be opened; exit code 1 if any cannot."""
    with Client(common.url) as client:
        keys, found = _keys(client), _walk(client, "check")
    if common.json:
        print_json({**keys, "secrets": found.counts, "unreadable": found.unreadable})
    else:
        _show(keys, found)
    return 1 if found.lost else 0


@app.command
def verify(*, common: Common = DEFAULTS) -> int:
    """Open every secret once and say whether all of them were written by the newest key; exit code 1 if not."""
    with Client(common.url) as client:
        newest, found = _newest(_keys(client)), _walk(client, "check")
    return _told(found, newest, 0, common)


@app.command
def rotate(
    *,
    only_new_rows: Annotated[
        bool, Parameter(negative="", help="Add the key and leave what is stored to a later `rotate`.")
    ] = False,
    common: Common = DEFAULTS,
) -> int:
    """Add a new key, then write every secret anew with it while work goes on.

    One that was interrupted is finished first, without another key. Each secret is read back before its old text goes.
    Accounts and proxies are leased meanwhile. Exit code 1 when secrets are left that no key opens.
    """
    with Client(common.url) as client:
        newest, found = _newest(_keys(client)), _walk(client, "check")
        if found.late(newest) == 0:
            newest = str(client.post(KEEPERS["account"])["id"])
            _say(f"The key {newest} encrypts from now on.")
        else:
            _say(f"A rotation to the key {newest} is taken up again: {found.late(newest)} secrets are left.")
        if only_new_rows:
            return 0
        changed, found = _rewrite(client, newest)
    return _told(found, newest, changed, common)


@app.command
def rewrap(*, common: Common = DEFAULTS) -> None:
    """Wrap the keys by the newest key-encryption key (XGET_KEK, XGET_KEK_FILE or Vault); secrets stay as they are."""
    with Client(common.url) as client:
        done = client.post(f"{KEEPERS['account']}/rewrap")
        keys = _keys(client)
    if common.json:
        return print_json({**done, **keys})
    return line(f"{done['rewrapped']} keys were wrapped by {keys['wraps_with']}, {len(keys['keys'])} are.")


def _rewrite(client: Client, newest: str) -> tuple[int, Found]:
    """Until a look at all of them finds none that is late; how many were changed, and that look."""
    changed = 0
    for again in range(_PASSES):
        time.sleep(again)
        changed += _walk(client, "reencrypt").changed
        found = _walk(client, "check")
        if found.late(newest) == 0:
            return changed, found
    raise CliError(
        "Secrets are still written with other keys: has another rotation begun? Run `xget keys rotate` again."
    )


def _keys(client: Client) -> Json:
    """What the services say of their keys. Raises CliError when they do not have the same."""
    told = {service: client.get(path) for service, path in KEEPERS.items()}
    newest = {service: _newest(one) for service, one in told.items()}
    if len(set(newest.values())) > 1:
        raise CliError(
            f"The services do not work with the same keys ({', '.join(f'{s}: {k}' for s, k in newest.items())}): give "
            "them one home, one XGET_KEYS_FILE or the same XGET_KEYS."
        )
    troubles = {service: one["trouble"] for service, one in told.items() if one["trouble"]}
    return {**told["account"], "trouble": troubles}


def _newest(keys: Json) -> str:
    return next(str(key["id"]) for key in keys["keys"] if key["newest"])


def _walk(client: Client, what: str) -> Found:
    """All pieces of all services."""
    found = Found()
    for service, path in KEEPERS.items():
        for piece in _pieces(client, f"{path}/{what}"):
            found.add(service, piece)
            _progress(f"{what}: {service} {found.rows} rows, {found.changed} changed")
    _progress("")
    return found


def _pieces(client: Client, path: str) -> Iterator[Json]:
    cursor: str | None = None
    while True:
        piece = client.post(path, {"cursor": cursor, "limit": _PIECE})
        yield piece
        cursor = piece["next_cursor"]
        if cursor is None:
            return


def _show(keys: Json, found: Found) -> None:
    wrote = {key["id"]: sum(c["rows"] for c in found.counts if c["key_id"] == key["id"]) for key in keys["keys"]}
    rows = [(key["id"], key["wrapped_by"], "newest" if key["newest"] else "", wrote[key["id"]]) for key in keys["keys"]]
    table("", ["key", "wrapped by", "", "secrets"], rows)
    columns = ["service", "table", "column", "key_id", "rows", "unreadable"]
    table("", columns, [[one[column] for column in columns] for one in found.counts])
    for service, trouble in keys["trouble"].items():
        line(f"{service}: {trouble}")
    if found.unreadable:
        _show_lost(found)


def _show_lost(found: Found) -> None:
    table("", ["service", "table", "row", "column", "key"], [_row(one) for one in found.unreadable])
    lost = sorted({one["key_id"] for one in found.counts if one["unreadable"]})
    line(f"{found.lost} secrets cannot be opened; their keys: {', '.join(lost)}.")
    line("1. Restore the keys.json (or XGET_KEYS) that holds these keys: running services take it up at once.")
    line("2. Run `xget keys status` again: accounts that were set aside for it work again.")
    line("3. Without a backup set these secrets again: `xget accounts import`, PUT /api/v1/proxies/{id}.")


def _row(one: Json) -> tuple[str, ...]:
    return one["service"], one["table"], one["id"], one["column"], one["key_id"]


def _told(found: Found, newest: str, changed: int, common: Common) -> int:
    total, late = sum(one["rows"] for one in found.counts), found.late(newest)
    if common.json:
        body = {"newest": newest, "changed": changed, "secrets": total, "late": late, "unreadable": found.lost}
        print_json({**body, "counts": found.counts})
    else:
        line(f"{changed} secrets were written anew. {total - late - found.lost} of {total} are of the key {newest}.")
        if late:
            line(f"{late} are of other keys: run `xget keys rotate`.")
        if found.unreadable:
            _show_lost(found)
    return 1 if late or found.lost else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - a command line speaks by printing


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<78}" if text else f"\r{'':<78}\r", end="", file=sys.stderr, flush=True)  # noqa: T201 - as above
