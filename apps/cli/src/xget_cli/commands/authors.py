"""`xget authors …`"""

from __future__ import annotations

import sys
import time
from typing import Any

from cyclopts import App

from xget_cli.client import Client
from xget_cli.errors import CliError
from xget_cli.options import DEFAULTS, ID, Common, Id
from xget_cli.output import line, print_json, safe, table

app = App(name="authors", help="Who wrote what is stored.")
AUTHORS = "/api/v1/data/authors"
FORGOTTEN = "/api/v1/data/forgotten"
WAIT_SECONDS = 600.0
_LOOK_SECONDS = 0.5
_MOST_NAMED = 100


@app.command
def forget(author: str, *, reason: str = "", yes: bool = False, common: Common = DEFAULTS) -> int:
    """Take down all that an author wrote, for everybody, and keep them away from now on. Cannot be undone.

    Goes through documents, search, raw pages and quarantine; later collections leave the author out. Stopping this
    command stops nothing: the worker goes on.

    Parameters
    ----------
    author
        Key of the author (x:44196397), or @name of one whose posts are stored.
    reason
        Why; kept with who and when.
    yes
        Do not ask.
    """
    with Client(common.url) as client:
        key = _key_of(client, author)
        if not yes and not _agreed(key, author):
            raise CliError("Nothing was taken down.")
        client.call("DELETE", f"{AUTHORS}/{key}", params={"reason": reason})
        found = _swept(client, key)
    if common.json:
        print_json(found)
    else:
        line(_told(found))
    return 0


@app.command
def forgotten(*, common: Common = DEFAULTS) -> None:
    """List authors who were taken down: who asked for it, when, why, and how much there was."""
    with Client(common.url) as client:
        found = client.get(FORGOTTEN)
    if common.json:
        return print_json(found)
    columns = ["author", "state", "items", "reposts", "raw_pages", "last change", "by", "reason"]
    return table("", columns, [_row(one) for one in found["items"]])


@app.command
def allow(author_key: Id, *, reason: str = "", common: Common = DEFAULTS) -> None:
    """Let an author who was taken down be collected again. Nothing is restored."""
    if author_key.startswith("@"):
        raise CliError("Their name went with their posts: write the key that `xget authors forgotten` shows.")
    with Client(common.url) as client:
        found = client.call("DELETE", f"{FORGOTTEN}/{author_key}", params={"reason": reason})
    if common.json:
        return print_json(found)
    return line(f"{found['author_key']} may be collected again; what was taken down does not come back by itself.")


def _key_of(client: Client, author: str) -> str:
    """The key itself, or that of the one author whose stored items have this name."""
    if not author.startswith("@"):
        if not ID.fullmatch(author):
            raise CliError("Write the author's key like x:44196397, or @name.")
        return author
    items = client.get("/api/v1/data", author=author.removeprefix("@"), size=_MOST_NAMED)["items"]
    keys = sorted({item["author_key"] for item in items if item.get("author_key")})
    if len(keys) == 1:
        return str(keys[0])
    if not keys:
        raise CliError(f"Nothing of {author} is stored, so their id is not known: write the key like x:44196397.")
    raise CliError(f"Several authors were called {author} ({', '.join(keys)}): name one by its key.")


def _agreed(key: str, author: str) -> bool:
    if not sys.stdin.isatty():
        raise CliError("This takes down all that the author wrote, for everybody: confirm it with --yes.")
    named = f" ({author})" if author != key else ""
    return input(f"Take down all that {key}{named} wrote, for everybody and for good? [y/N] ").strip().lower() == "y"


def _swept(client: Client, key: str) -> dict[str, Any]:
    """The takedown after its first sweep, or as it is when that takes long."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        found: dict[str, Any] = client.get(f"{FORGOTTEN}/{key}")
        if found["state"] != "running" or time.monotonic() > until:
            return found
        time.sleep(_LOOK_SECONDS)


def _told(found: dict[str, Any]) -> str:
    counts = f"{found['items']} items, {found['reposts']} reposts, {found['raw_pages']} raw pages"
    if found["state"] == "running":
        return (
            f"{found['author_key']} stays away; the worker still takes down what there is (`xget authors forgotten`)."
        )
    return f"{found['author_key']} is taken down and stays away: {counts}. A second look follows by itself."


def _row(one: dict[str, Any]) -> list[Any]:
    note = one["notes"][-1]
    counts = [one["items"], one["reposts"], one["raw_pages"]]
    return [one["author_key"], one["state"], *counts, safe(note["at"])[:19], safe(note["actor"]), safe(note["reason"])]
