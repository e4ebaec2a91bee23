"""`xget parsers …`"""

from __future__ import annotations

from typing import Any, Literal

from cyclopts import App

from xget_cli.client import Client
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import line, print_json, table

app = App(name="parsers", help="What reads the pages, and whether it is frozen.")
PATH = "/api/v1/parsers"


@app.command(name="list")
def list_(*, common: Common = DEFAULTS) -> None:
    """List parsers and what they have read."""
    with Client(common.url) as client:
        found = client.get(PATH)
    if common.json:
        return print_json(found)
    columns = ["parser", "state", "version", "since", "rejected", "waiting"]
    table("", columns, [_row(parser) for parser in found["parsers"]])
    line("")
    columns = ["platform", "version", "pages", "items", "rejected", "new_fields", "gone_fields", "last_used"]
    return table("", columns, [[row[name] for name in columns] for row in found["items"]])


@app.command
def thaw(parser: Id, *, common: Common = DEFAULTS) -> None:
    """Let a frozen parser read the pages that wait, as it is; what it cannot read goes to quarantine.

    A newer version of the parser thaws by itself.
    """
    with Client(common.url) as client:
        found = client.post(f"{PATH}/{parser}/thaw")
    if common.json:
        return print_json(found)
    return line(f"{found['name']} reads {found['waiting']} pages that waited.")


@app.command
def drift(
    parser: Id,
    *,
    version: str | None = None,
    shape: str | None = None,
    change: Literal["new", "gone"] | None = None,
    page: int = 1,
    size: int = 50,
    common: Common = DEFAULTS,
) -> None:
    """Show fields that are new to a parser, and those that it counts on and that stay away.

    Parameters
    ----------
    parser
        A route, as x_session, or a parser of `xget parsers list`; the operations of a route share their shapes.
    shape
        What the fields are of: post, user, card, media…
    """
    wanted = {"version": version, "shape": shape, "change": change, "page": page, "size": size}
    with Client(common.url) as client:
        found = client.get(f"{PATH}/{parser}/drift", **wanted)
    if common.json:
        return print_json(found)
    columns = ["version", "shape", "path", "change", "pages", "since", "operation"]
    rows = [{**field, "pages": _seen(field), "since": field["first_seen"][:19]} for field in found["items"]]
    return table(f"{found['total']} fields", columns, [[row[name] for name in columns] for row in rows])


def _seen(field: dict[str, Any]) -> str:
    if field["change"] == "gone":
        return f"not on the last {field['pages']}"
    return f"on {field['pages']} of {field['of_pages']}"


def _row(parser: dict[str, Any]) -> list[Any]:
    rejected = f"{parser['rate']:.0%} of {parser['pages']} pages" if parser["pages"] else ""
    return [parser["name"], parser["state"], parser["version"], parser["since"][:19], rejected, parser["waiting"]]
