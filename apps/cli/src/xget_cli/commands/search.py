"""`xget search QUERY`"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.text import Text

from xget_cli.client import Client
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import console, highlighted, line, print_json, safe


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
        For example: 量子, "climate change", AI -crypto.
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
