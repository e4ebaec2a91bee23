"""`xget accounts login`: let the worker log an account in."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from cyclopts import Parameter

from xget_cli.client import Client
from xget_cli.errors import CliError
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json
from xget_cli.subjects import ANY, Account, Which, account_path

LOOK_EVERY_S: Final = 0.5
PATIENCE_S: Final = 900.0
UNDER_WAY: Final = "urn:xget:error:login_under_way"


def login(
    account: Account,
    *,
    method: Annotated[
        Literal["auto", "browser", "flow"], Parameter(help="Chromium, X's login API, or what is set up.")
    ] = "auto",
    watch: Annotated[
        bool, Parameter(negative="", help="Wait for the end, also of a login under way; exit code 1 when it failed.")
    ] = False,
    which: Which = ANY,
    common: Common = DEFAULTS,
) -> int:
    """Log an account in with its password; the worker does it, one try at a time."""
    with Client(common.url) as client:
        path = account_path(client, account, which)
        asked = _asked(client, path, account, method, join=watch)
        if watch:
            asked = _ended(client, path, asked["id"], None if common.json else line)
    if common.json:
        print_json(asked)
    elif asked["outcome"] is None:
        line(f"The login is queued. Follow it: xget accounts logins {account}")
    else:
        line(_told(asked))
    return 0 if asked["outcome"] in (None, "logged_in") else 1


def logins(account: Account, *, which: Which = ANY, common: Common = DEFAULTS) -> None:
    """List the last tries to log an account in."""
    with Client(common.url) as client:
        found = client.get(f"{account_path(client, account, which)}/logins")
    if common.json:
        return print_json(found)
    for one in found["items"]:
        line(f"{one['at']}  {one['asked_by']}  {_told(one)}")
    return None if found["items"] else line("Nobody has tried to log this account in.")


def _asked(client: Client, path: str, account: str, method: str, *, join: bool) -> dict[str, Any]:
    """The try that is asked for, or with `join` the one that is under way already."""
    try:
        asked: dict[str, Any] = client.post(f"{path}/login", {"method": method})
    except CliError as error:
        if error.problem.get("type") != UNDER_WAY:
            raise
        if join:
            now = client.get(f"{path}/status")["login"]
            return {"id": now["attempt_id"]} if now else _asked(client, path, account, method, join=False)
        raise CliError(
            f"{account} is logging in already: follow it with `xget accounts login {account} --watch`.", error.problem
        ) from error
    return asked


def _ended(client: Client, path: str, attempt_id: str, told: Callable[[str], None] | None) -> dict[str, Any]:
    """The try when it has an outcome; each step of it is told meanwhile."""
    until, before = time.monotonic() + PATIENCE_S, ""
    while True:
        now = client.get(f"{path}/status")["login"]
        running = now is not None and now["attempt_id"] == attempt_id
        if running and told is not None and now["sentence"] != before:
            before = now["sentence"]
            told(before)
        if not running or time.monotonic() > until:
            tries: list[dict[str, Any]] = client.get(f"{path}/logins")["items"]
            return next(one for one in tries if one["id"] == attempt_id)
        time.sleep(LOOK_EVERY_S)


def _told(one: dict[str, Any]) -> str:
    if one["outcome"] is None:
        return "under way" if one["started_at"] else "waits for a worker"
    picture = f" Picture on the worker's machine: {one['screenshot']}" if one["screenshot"] else ""
    return f"{one['outcome']}: {one['sentence']}{picture}"
