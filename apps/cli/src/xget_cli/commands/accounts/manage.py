"""Import, list and look at accounts."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from xget_cli.client import Client
from xget_cli.files import InputFile, read_text
from xget_cli.imports import show_import
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import line, print_json, table


def import_(
    file: InputFile,
    *,
    format: Annotated[str | None, Parameter(help="Field order of the lines, as username:password:email.")] = None,
    username: Annotated[str | None, Parameter(help="Name for cookies that carry none.")] = None,
    proxy: Annotated[str | None, Parameter(help="Id of the proxy these accounts use.")] = None,
    common: Common = DEFAULTS,
) -> int:
    """Import accounts; the kind of file is recognised.

    Takes a browser's cookie JSON, Netscape cookies.txt, a raw `auth_token=…; ct0=…` header, lines of
    `username:password:email:email_password[:…]` and CSV. Exit code 1 when a line was refused.

    Parameters
    ----------
    file
        The file, or - for standard input.
    """
    body = {"text": read_text(file), "line_format": format, "username": username, "proxy_id": proxy}
    with Client(common.url) as client:
        report = client.post("/api/v1/accounts/import", {k: v for k, v in body.items() if v is not None})
    return show_import(report, ("username", "account_id"), common)


def list_(*, page: int = 1, size: int = 50, common: Common = DEFAULTS) -> None:
    """List accounts; secrets are never shown."""
    with Client(common.url) as client:
        found = client.get("/api/v1/accounts", page=page, size=size)
    if common.json:
        return print_json(found)
    columns = ["id", "username", "platform", "status", "active", "last_used", "error_msg"]
    return table(f"{found['total']} accounts", columns, [[a.get(c) for c in columns] for a in found["items"]])


def status(account_id: Id, *, common: Common = DEFAULTS) -> None:
    """Say whether an account can work now, and if not, why and until when."""
    with Client(common.url) as client:
        found = client.get(f"/api/v1/accounts/{account_id}/status")
    if common.json:
        return print_json(found)
    return table("", ["field", "value"], list(found.items()))


def delete(account_id: Id, *, common: Common = DEFAULTS) -> None:
    """Delete an account with its secrets."""
    with Client(common.url) as client:
        client.call("DELETE", f"/api/v1/accounts/{account_id}")
    print_json({"deleted": account_id}) if common.json else line(f"Deleted account {account_id}.")
