"""Import, list and look at accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from xget_cli.client import Client
from xget_cli.commands.accounts.importing import Import, lines_of
from xget_cli.files import InputFile, opened, text_at_once
from xget_cli.imports import show_import
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import line, print_json, table


def import_(
    file: InputFile,
    *,
    format: Annotated[str | None, Parameter(help="Field order of the lines, as username:password:email.")] = None,
    username: Annotated[str | None, Parameter(help="Name for cookies that carry none.")] = None,
    proxy: Annotated[str | None, Parameter(help="Id of the proxy these accounts use.")] = None,
    update: Annotated[
        bool, Parameter(negative="", help="Replace what accounts have; otherwise other values are a conflict.")
    ] = False,
    encoding: Annotated[str | None, Parameter(help="Of the file, as gb18030; UTF-8 by default.")] = None,
    report: Annotated[Path | None, Parameter(help="File for what became of each line, one JSON a line.")] = None,
    from_line: Annotated[int, Parameter(help="Go on with this line.", validator=Number(gte=1))] = 1,
    common: Common = DEFAULTS,
) -> int:
    """Import accounts; the kind of file is recognised.

    Takes a browser's cookie JSON, Netscape cookies.txt, a raw `auth_token=…; ct0=…` header, lines of
    `username:password:email:email_password[:…]` and CSV. Lines may be as many as you like; they are sent in batches,
    and the same file again changes nothing. Exit code 1 when a line was refused or is a conflict.

    Parameters
    ----------
    file
        The file, or - for standard input.
    """
    given = {"line_format": format, "username": username, "proxy_id": proxy, "update": update or None}
    wish = {name: value for name, value in given.items() if value is not None}
    plain = encoding is None and report is None and from_line == 1
    with Client(common.url) as client:
        if plain and (text := text_at_once(file)) is not None:
            answer = client.post("/api/v1/accounts/import", {"text": text, **wish})
            return show_import(answer, ("username", "account_id"), common)
        with opened(report) as kept:
            found = Import(client, wish, kept).run(lines_of(file, encoding), from_line)
    told = {name: found.counts[name] for name in ("created", "updated", "unchanged", "conflict", "refused")}
    summary = {"format": found.format, **told, "lines": found.troubles}
    return show_import(summary, ("username", "account_id"), common, told=found.counts)


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
    shown = {**found, "login": found["login"]["sentence"] if found["login"] else None}
    return table("", ["field", "value"], list(shown.items()))


def delete(account_id: Id, *, common: Common = DEFAULTS) -> None:
    """Delete an account with its secrets."""
    with Client(common.url) as client:
        client.call("DELETE", f"/api/v1/accounts/{account_id}")
    print_json({"deleted": account_id}) if common.json else line(f"Deleted account {account_id}.")
