"""`xget proxies …`"""

from __future__ import annotations

from typing import Any

from cyclopts import App

from xget_cli.client import Client
from xget_cli.files import InputFile, read_text
from xget_cli.imports import show_import
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import line, print_json, table

app = App(name="proxies", help="Proxies that accounts use.", help_format="markdown")


@app.command(name="import")
def import_(file: InputFile, *, internal: bool = False, common: Common = DEFAULTS) -> int:
    """Import proxies: `scheme://user:pass@host:port`, `host:port:user:pass`, `host:port` or CSV, one a line.

    Parameters
    ----------
    file
        The file, or - for standard input. Exit code 1 when a line was refused.
    internal
        Let these proxies be inside your own network (this machine included); only operators may.
    """
    body = {"text": read_text(file), "allow_internal": internal}
    with Client(common.url) as client:
        report = client.post("/api/v1/proxies/import", body)
    return show_import(report, ("proxy", "proxy_id"), common)


@app.command(name="list")
def list_(*, page: int = 1, size: int = 50, common: Common = DEFAULTS) -> None:
    """List proxies with their measured quality."""
    with Client(common.url) as client:
        found = client.get("/api/v1/proxies", page=page, size=size)
    if common.json:
        return print_json(found)
    columns = ["id", "type", "ip", "port", "country", "status", "latency", "success_rate", "last_check"]
    return table(f"{found['total']} proxies", columns, [[_cell(c, p.get(c)) for c in columns] for p in found["items"]])


def _cell(column: str, value: Any) -> Any:
    """Seconds, shares and times as people read them."""
    if value is None:
        return None
    match column:
        case "latency":
            return f"{value:.2f} s"
        case "success_rate":
            return f"{value:.0%}"
        case "last_check":
            return str(value)[:19]
        case _:
            return value


@app.command
def check(*proxy_ids: str, common: Common = DEFAULTS) -> None:
    """Connect through proxies now (all when none is named) and record what that showed."""
    body = {"ids": list(proxy_ids)} if proxy_ids else {"all": True}
    with Client(common.url) as client:
        found = client.post("/api/v1/proxies/check", body)
    if common.json:
        return print_json(found)
    rows = found["items"]
    return table("", list(rows[0]) if rows else ["no proxies"], [list(row.values()) for row in rows])


@app.command
def delete(proxy_id: Id, *, common: Common = DEFAULTS) -> None:
    """Delete a proxy."""
    with Client(common.url) as client:
        client.call("DELETE", f"/api/v1/proxies/{proxy_id}")
    print_json({"deleted": proxy_id}) if common.json else line(f"Deleted proxy {proxy_id}.")
