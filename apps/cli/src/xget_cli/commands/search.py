"""`xget search QUERY` and `xget search reindex`"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.text import Text

from xget_cli.client import Client
from xget_cli.errors import CliError
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import console, highlighted, line, print_json, safe

if TYPE_CHECKING:
    from xget_storage.service.rebuilding import Progress

app = App(name="search")
TOLD_EVERY = 2.0
"""Seconds between two lines of progress."""


@app.default
def search(
    query: str,
    *,
    lang: str | None = None,
    author: str | None = None,
    since: str | None = None,
    until: str | None = None,
    task: Annotated[str | None, Parameter(help="Only what this task found.")] = None,
    sort: Literal["relevance", "newest", "oldest"] = "relevance",
    size: int = 10,
    cursor: str | None = None,
    common: Common = DEFAULTS,
) -> None:
    """Search what is stored; words must all occur, "a phrase" as it stands, -word must not.

    Parameters
    ----------
    query
        Words must all occur, "a phrase" as it stands, -word must not: 量子, "climate change", AI -crypto.
    """
    wanted = {"lang": lang, "author": author, "since": since, "until": until, "task_id": task}
    with Client(common.url) as client:
        found = client.get(
            "/api/v1/data/search", q=query, sort=sort, size=size, cursor=cursor, highlight=True, **wanted
        )
    if common.json:
        return print_json(found)
    out = console()
    out.print(Text(f"{found['total']} hits", style="bold"))
    for item in found["items"]:
        out.print(_hit(item, marks=not out.color_system))
    _facets(found.get("facets") or {})
    if found.get("next_cursor"):
        line(f"More: --cursor {found['next_cursor']}")
    return None


def _hit(item: dict[str, Any], *, marks: bool) -> Text:
    head = f"@{safe(item.get('author_username'))} · {safe(item.get('created_at'))[:16]} · {safe(item.get('url'))}\n"
    shown = item.get("highlights") or []
    body = highlighted(" … ".join(shown), marks=marks) if shown else Text(safe(item.get("text")))
    return Text.assemble((head, "dim"), body, "\n")


def _facets(facets: dict[str, Any]) -> None:
    for name in ("lang", "author", "day"):
        counts = facets.get(name) or {}
        pairs = [(c["value"], c["count"]) for c in counts] if isinstance(counts, list) else list(counts.items())
        if pairs:
            top = sorted(pairs, key=lambda pair: -pair[1])[:6]
            line(f"by {name}: " + ", ".join(f"{safe(value)} {count}" for value, count in top))


@app.command
def reindex(
    *,
    home: Annotated[Path | None, Parameter(help="Folder of files (XGET_HOME, ./.xget).", show_default=False)] = None,
    json: Annotated[bool, Parameter(negative="", help="Print the result as JSON.")] = False,
) -> None:
    """Build the search index again from the documents, while XGet runs or not.

    Works on the engines that the environment names (MONGODB_URL, ELASTICSEARCH_URL), else on the files in the home
    folder. Searching and collecting go on. A run that was stopped is continued by the next.
    """
    from xget_kernel.errors import StartupError, XGetError  # noqa: PLC0415 - `xget --help` must not load the services
    from xget_storage.settings import Settings  # noqa: PLC0415 - as above
    from xget_storage.worker import rebuild_search  # noqa: PLC0415 - as above
    from xget_telemetry.logs import configure  # noqa: PLC0415 - as above

    configure("xget", json=True, level="error")
    settings = Settings() if home is None else Settings(home=home)
    try:
        done = asyncio.run(rebuild_search(settings, _Telling(quiet=json)))
    except StartupError as error:
        raise CliError(str(error)) from error
    except XGetError as error:
        raise CliError(f"{error.detail} Search serves on; run this again to go on.") from error
    if json:
        return print_json({"items": done.items, "deletions": done.deletions, "resumed": done.resumed})
    return line(f"Search is rebuilt: {done.items} items, {done.deletions} deletions.")


class _Telling:
    """Prints how far a rebuild is, now and then."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._next = time.monotonic() + TOLD_EVERY

    def __call__(self, progress: Progress) -> None:
        if not self._quiet and time.monotonic() >= self._next:
            self._next = time.monotonic() + TOLD_EVERY
            begun = "; going on where it was stopped" if progress.resumed else ""
            line(f"{progress.items} of {progress.total} items{begun}")
