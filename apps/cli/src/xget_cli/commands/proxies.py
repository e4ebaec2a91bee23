"""`xget proxies …`"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cyclopts import App

from xget_cli.client import Client
from xget_cli.commands import grants, providers
from xget_cli.files import InputFile, read_text
from xget_cli.imports import show_import
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json, table
from xget_cli.people import names
from xget_cli.subjects import Proxy, address, proxy_id

_MARKS: Final = "▁▂▃▄▅▆▇█"
_FACTS: Final = (
    "id", "proxy", "state", "error_msg", "country", "city", "isp", "exit_ip", "anonymity", "rotating", "score",
    "latency", "recent", "success_rate", "last_check", "used_today", "daily_budget", "max_concurrency",
    "allow_internal",
)  # fmt: skip

app = App(name="proxies", help="Proxies that accounts use.", help_format="markdown")
app.command(providers.app)
app.command(grants.grants_app("proxies"))


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
    """List proxies with their measured quality; `recent` draws the latencies of the last checks."""
    with Client(common.url) as client:
        found = client.get("/api/v1/proxies", page=page, size=size)
    if common.json:
        return print_json(found)
    columns = ["id", "proxy", "country", "exit_ip", "score", "latency", "recent", "success_rate", "state"]
    rows = [[_cell(c, p) for c in columns] for p in found["items"]]
    return table(f"{found['total']} proxies", columns, rows, spare=("id", "exit_ip"))


@app.command
def show(proxy: Proxy, *, common: Common = DEFAULTS) -> None:
    """Everything about one proxy, and which accounts came to it or left it."""
    with Client(common.url) as client:
        path = f"/api/v1/proxies/{proxy_id(client, proxy)}"
        found = client.get(path)
        history = client.get(f"{path}/history", size=20)["items"]
    if common.json:
        return print_json({**found, "history": history})
    table("", ["fact", "value"], [[name.replace("_", " "), _cell(name, found)] for name in _FACTS])
    rows = [[turn["at"][:19], turn["account_id"], _turn(turn, found["id"]), turn["reason"]] for turn in history]
    return table("\nAccounts", ["at", "account_id", "turn", "reason"], rows) if rows else None


def _turn(turn: dict[str, Any], here: str) -> str:
    return "came" if turn["proxy_id"] == here else f"left for {turn['proxy_id']}"


def _cell(column: str, proxy: dict[str, Any]) -> Any:
    """Milliseconds, shares, times and states as people read them."""
    shown = _SHOWN.get(column)
    return proxy.get(column) if shown is None else shown(proxy)


def _state(proxy: dict[str, Any]) -> str:
    if proxy["pause_until"] and proxy["status"] == "INACTIVE":
        return f"rests until {proxy['pause_until'][11:19]}"
    return str(proxy["status"])


def sparkline(latencies: list[float | None]) -> str:
    """One mark for each check, oldest first: higher is slower, × is a check that failed."""
    known = [value for value in latencies if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    steps = (len(_MARKS) - 1) / (high - low) if high > low else 0.0
    return "".join("×" if value is None else _MARKS[round((value - low) * steps)] for value in latencies)


_SHOWN: Final[dict[str, Callable[[dict[str, Any]], str | None]]] = {
    "proxy": address,
    "latency": lambda proxy: None if proxy["latency"] is None else f"{proxy['latency']:.0f} ms",
    "recent": lambda proxy: sparkline(proxy["latencies"]),
    "success_rate": lambda proxy: None if proxy["success_rate"] is None else f"{proxy['success_rate']:.0%}",
    "last_check": lambda proxy: str(proxy["last_check"] or "never")[:19],
    "state": _state,
}


@app.command
def lent(*, page: int = 1, size: int = 50, common: Common = DEFAULTS) -> None:
    """List proxies of others that your tasks may go out through."""
    with Client(common.url) as client:
        found = client.get("/api/v1/proxies/lent", page=page, size=size)
        if common.json:
            return print_json(found)
        known = names(client, [one["owner_id"] for one in found["items"]])
    columns = ["proxy_id", "owner", "owner_id", "for", "type", "country", "state", "score", "left today"]
    rows = [_lent(one, known) for one in found["items"]]
    return table(f"{found['total']} proxies", columns, rows)


def _lent(one: dict[str, Any], known: dict[str, str]) -> list[Any]:
    left = "" if one["daily_budget"] is None else f"{one['budget_left']:,} of {one['daily_budget']:,}"
    platforms = ", ".join(one["platforms"]) or "all"
    whose = [one["proxy_id"], known.get(one["owner_id"], ""), one["owner_id"], platforms]
    return [*whose, *(one[name] for name in ("type", "country", "state", "score")), left]


@app.command
def check(*proxies: Proxy, common: Common = DEFAULTS) -> None:
    """Connect through proxies now (all when none is named) and record what that showed."""
    with Client(common.url) as client:
        body = {"ids": [proxy_id(client, proxy) for proxy in proxies]} if proxies else {"all": True}
        found = client.post("/api/v1/proxies/check", body)
    if common.json:
        return print_json(found)
    rows = found["items"]
    return table("", list(rows[0]) if rows else ["no proxies"], [list(row.values()) for row in rows])


@app.command
def delete(proxy: Proxy, *, common: Common = DEFAULTS) -> None:
    """Delete a proxy."""
    with Client(common.url) as client:
        found = proxy_id(client, proxy)
        client.call("DELETE", f"/api/v1/proxies/{found}")
    print_json({"deleted": found}) if common.json else line(f"Deleted proxy {proxy}.")
