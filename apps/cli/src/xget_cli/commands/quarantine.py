"""`xget quarantine …`"""

from __future__ import annotations

from cyclopts import App

from xget_cli.client import Client
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import line, print_json, table

app = App(name="quarantine", help="Records that did not parse; nothing is thrown away.")
PATH = "/api/v1/quarantine"


@app.command(name="list")
def list_(*, state: str | None = None, page: int = 1, size: int = 20, common: Common = DEFAULTS) -> None:
    """List records in quarantine."""
    with Client(common.url) as client:
        found = client.get(PATH, state=state, page=page, size=size)
    if common.json:
        return print_json(found)
    columns = ["id", "platform", "state", "parser_version", "native_id", "path", "reason"]
    return table(f"{found['total']} records", columns, [[r.get(c) for c in columns] for r in found["items"]])


@app.command
def show(record_id: Id, *, common: Common = DEFAULTS) -> None:
    """Show one record with its raw payload."""
    with Client(common.url) as client:
        found = client.get(f"{PATH}/{record_id}")
    if common.json:
        return print_json(found)
    return table("", ["field", "value"], list(found.items()))


@app.command
def replay(*record_ids: str, common: Common = DEFAULTS) -> None:
    """Parse records again with today's parser (all when none is named)."""
    with Client(common.url) as client:
        report = client.post(f"{PATH}/replay", {"ids": list(record_ids)} if record_ids else {"all": True})
    if common.json:
        return print_json(report)
    return line(", ".join(f"{name} {count}" for name, count in report.items()))
