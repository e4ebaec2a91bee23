"""Import, list and look at accounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from xget_cli.client import Client
from xget_cli.commands.accounts.importing import Import, lines_of
from xget_cli.errors import CliError
from xget_cli.files import InputFile, opened, text_at_once
from xget_cli.imports import show_import
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json, table
from xget_cli.subjects import ANY, Account, Which, account_path, proxy_id


def import_(
    file: InputFile,
    *,
    format: Annotated[str | None, Parameter(help="Field order of the lines, as username:password:email.")] = None,
    username: Annotated[str | None, Parameter(help="Name for cookies that carry none.")] = None,
    proxy: Annotated[str | None, Parameter(help="Address or id of the proxy these accounts use.")] = None,
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
    `username:password:email:email_password[:…]` and CSV, whose column `login_method` may say GOOGLE. Lines may be as
    many as you like; they are sent in batches, and the same file again changes nothing. Exit code 1 when a line was
    refused or is a conflict.

    Parameters
    ----------
    file
        The file, or - for standard input.
    """
    given = {"line_format": format, "username": username, "update": update or None}
    wish = {name: value for name, value in given.items() if value is not None}
    plain = encoding is None and report is None and from_line == 1
    with Client(common.url) as client:
        if proxy is not None:
            wish["proxy_id"] = proxy_id(client, proxy)
        if plain and (text := text_at_once(file)) is not None:
            if not text.strip():
                raise CliError(f"{file} is empty: there is no account in it.")
            answer = client.post("/api/v1/accounts/import", {"text": text, **wish})
            return show_import(answer, ("username", "account_id"), common)
        with opened(report) as kept:
            found = Import(client, wish, kept).run(lines_of(file, encoding), from_line)
    told = {name: found.counts[name] for name in ("created", "updated", "unchanged", "conflict", "refused")}
    summary = {"format": found.format, **told, **found.columns, "lines": found.troubles}
    return show_import(summary, ("username", "account_id"), common, told=found.counts)


def list_(*, page: int = 1, size: int = 50, common: Common = DEFAULTS) -> None:
    """List accounts; secrets are never shown."""
    with Client(common.url) as client:
        found = client.get("/api/v1/accounts", page=page, size=size)
    if common.json:
        return print_json(found)
    columns = ["id", "username", "platform", "status", "active", "last_used", "error_msg"]
    rows = [[a.get(c) for c in columns] for a in found["items"]]
    return table(f"{found['total']} accounts", columns, rows, spare=("id", "last_used"))


def status(account: Account, *, which: Which = ANY, common: Common = DEFAULTS) -> None:
    """Say whether an account can work now, and if not, why and until when."""
    with Client(common.url) as client:
        found = client.get(f"{account_path(client, account, which)}/status")
    if common.json:
        return print_json(found)
    return table("", ["field", "value"], list(standing(found).items()))


def standing(found: Mapping[str, Any]) -> dict[str, Any]:
    """The status of an account with its parts in words."""
    last, login = found["last_report"], found["login"]
    return {
        **found,
        "rests": "; ".join(_window(rest) for rest in found["rests"]),
        "lease": ", ".join(f"{name} {value}" for name, value in (found["lease"] or {}).items()),
        "login": login["sentence"] if login else None,
        "last_report": last and _judged(last),
    }


def _judged(last: Mapping[str, Any]) -> str:
    """The platform's last answer, and which rule of which playbook decided."""
    book = f" (playbook {last['playbook']})" if last.get("playbook") else ""
    return f"{last['operation']} {last['status']} at {_minute(last['at'])}: {last['rule']}{book}"


def _window(rest: Mapping[str, Any]) -> str:
    """What is left of an operation; a window that has passed is full again."""
    told = "everything" if rest["operation"] == "*" else rest["operation"]
    soon = rest["reset_at"] is not None and datetime.fromisoformat(rest["reset_at"]) > datetime.now(UTC)
    if soon and rest["remaining"] is not None:
        told += f" {rest['remaining']} of {rest['limit']} left until {_minute(rest['reset_at'])}"
    elif rest["limit"] is not None:
        told += f" {rest['limit']} of {rest['limit']} left"
    return f"{told}, rests until {_minute(rest['until'])}" if rest["until"] else told


def _minute(at: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC"


def delete(account: Account, *, which: Which = ANY, common: Common = DEFAULTS) -> None:
    """Delete an account with its secrets."""
    with Client(common.url) as client:
        path = account_path(client, account, which)
        client.call("DELETE", path)
    print_json({"deleted": path.rpartition("/")[2]}) if common.json else line(f"Deleted account {account}.")
