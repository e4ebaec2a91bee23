"""Accounts that ask a platform through its official API."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from xget_cli.client import Client
from xget_cli.errors import CliError
from xget_cli.files import InputFile, read_text
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json, table

PLATFORM = "x_api"


def api(
    name: str,
    *,
    bearer_token: Annotated[InputFile | None, Parameter(help="File with an app's bearer token; - reads it.")] = None,
    refresh_token: Annotated[InputFile | None, Parameter(help="File with a user's refresh token; - reads it.")] = None,
    client_id: Annotated[str | None, Parameter(help="Of the app that the user has allowed.")] = None,
    client_secret: Annotated[InputFile | None, Parameter(help="File with the app's secret, if it has one.")] = None,
    monthly_budget: Annotated[str | None, Parameter(help="US dollars that a month may cost, a hard stop.")] = None,
    monthly_results: Annotated[int | None, Parameter(help="Posts and users that a month may read.")] = None,
    archive: Annotated[bool | None, Parameter(help="The plan has the full-archive search.")] = None,
    app: Annotated[str | None, Parameter(help="A word for the developer app: its accounts share limits.")] = None,
    common: Common = DEFAULTS,
) -> None:
    """Add an account of X's official API, or change one; without options, show what it has spent.

    Tokens are read from files, so that they stand in no history. Nothing that costs is asked before there is a
    monthly budget.

    Parameters
    ----------
    name
        What to call the account: the app's name, say.
    """
    files = {"bearer_token": bearer_token, "refresh_token": refresh_token, "client_secret": client_secret}
    body: dict[str, Any] = {field: _secret(file) for field, file in files.items() if file is not None}
    others = {
        "client_id": client_id, "monthly_budget_usd": monthly_budget, "monthly_results": monthly_results,
        "full_archive": archive, "app": app,
    }  # fmt: skip
    body |= {field: value for field, value in others.items() if value is not None}
    with Client(common.url) as client:
        account_id = _account(client, name, make=bool(body))
        path = f"/api/v1/accounts/{account_id}/api"
        found = client.call("PUT", path, json=body) if body else client.get(path)
    if common.json:
        return print_json(found)
    table("", ["field", "value"], list(found.items()))
    return line(found["sentence"])


def _account(client: Client, name: str, *, make: bool) -> str:
    """The id of the account of this name, made when it is not there."""
    same = client.get("/api/v1/accounts", platform=PLATFORM, name=name)["items"]
    if same:
        return str(same[0]["id"])
    if not make:
        raise CliError(f"You have no account {name} of X's official API: give it a token with --bearer-token FILE.")
    return str(client.post("/api/v1/accounts", {"username": name, "platform": PLATFORM})["id"])


def _secret(file: InputFile) -> str:
    return read_text(file).strip()
