"""`xget proxies providers …`"""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import App, Parameter

from xget_cli.client import Client
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json, table
from xget_cli.subjects import Provider, provider_id

app = App(name="providers", help="Lists of proxies that are read again and again.", help_format="markdown")
_PATH = "/api/v1/proxies/providers"
_COLUMNS = ["id", "name", "host", "added", "removed", "kept", "refused", "last_at", "next_at", "last_error"]


@app.command
def add(
    name: str,
    url: str,
    /,
    *,
    type: Annotated[str, Parameter(help="For lines that name no scheme: http, https or socks5.")] = "http",
    country: Annotated[str | None, Parameter(help="For lines that name no country, as DE.")] = None,
    every: Annotated[int, Parameter(help="Seconds between two readings.")] = 3600,
    common: Common = DEFAULTS,
) -> None:
    """Take proxies from a list at an https URL, now and again; its host must be in XGET_PROXY_PROVIDER_HOSTS.

    Parameters
    ----------
    name
        What to call it.
    url
        Where the list is; - reads it from standard input, as such URLs hold keys.
    """
    given = sys.stdin.readline().strip() if url == "-" else url
    body = {"name": name, "url": given, "type": type, "country": country, "every_seconds": every}
    with Client(common.url) as client:
        made = client.post(_PATH, body)
    print_json(made) if common.json else line(f"Added provider {made['id']}: its list is read within a minute.")


@app.command(name="list")
def list_(*, page: int = 1, size: int = 50, common: Common = DEFAULTS) -> None:
    """List providers and what their last lists brought."""
    with Client(common.url) as client:
        found = client.get(_PATH, page=page, size=size)
    if common.json:
        return print_json(found)
    rows = [
        [str(row[name] or "")[:19] if name.endswith("_at") else row[name] for name in _COLUMNS]
        for row in found["items"]
    ]
    return table(f"{found['total']} providers", _COLUMNS, rows)


@app.command
def refresh(provider: Provider, *, common: Common = DEFAULTS) -> int:
    """Read a list now; exit code 1 when it cannot be taken."""
    with Client(common.url) as client:
        found = client.post(f"{_PATH}/{provider_id(client, provider)}/refresh", {})
    if common.json:
        print_json(found)
    elif found["last_error"]:
        line(f"Nothing changed: {found['last_error']}")
    else:
        line(f"{found['added']} added, {found['removed']} retired, {found['kept']} kept, {found['refused']} refused.")
    return 1 if found["last_error"] else 0


@app.command
def delete(provider: Provider, *, common: Common = DEFAULTS) -> None:
    """Forget a provider; its proxies are retired, not deleted."""
    with Client(common.url) as client:
        found = provider_id(client, provider)
        client.call("DELETE", f"{_PATH}/{found}")
    print_json({"deleted": found}) if common.json else line(f"Deleted provider {provider}.")
