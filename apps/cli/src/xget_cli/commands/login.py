"""`xget login`, `xget whoami` and `xget logout`."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Annotated

from cyclopts import Parameter

from xget_cli.client import Client, tokens_of
from xget_cli.errors import CliError
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json


def login(
    username: str | None = None,
    *,
    register: Annotated[bool, Parameter(negative="", help="Create the user first.")] = False,
    password_stdin: Annotated[bool, Parameter(negative="", help="Read the password from standard input.")] = False,
    common: Common = DEFAULTS,
) -> None:
    """Log in and keep the session for later commands.

    Parameters
    ----------
    username
        Asked for when it is not given. The password comes from XGET_PASSWORD, standard input or a prompt.
    """
    name = username or _ask("Username: ")
    password = _password(password_stdin)
    with Client(common.url) as client:
        if register:
            client.post("/api/v1/auth/register", {"username": name, "password": password})
        tokens = client.post("/api/v1/auth/login", {"username": name, "password": password})
        client.sessions.put(client.url, tokens_of(name, tokens))
        me = client.get("/api/v1/auth/me")
    if common.json:
        print_json(me)
    else:
        line(f"Logged in at {client.url} as {name} ({', '.join(me.get('roles', []))}).")


def whoami(*, common: Common = DEFAULTS) -> None:
    """Show who is logged in: the name and the id by which others grant you something, and your roles."""
    with Client(common.url) as client:
        me = client.get("/api/v1/auth/me")
    print_json(me) if common.json else line(f"{me['username']} ({me['id']}), {', '.join(me['roles'])} at {client.url}.")


def logout(*, common: Common = DEFAULTS) -> None:
    """End the session here and at the gateway."""
    with Client(common.url) as client:
        tokens = client.sessions.get(client.url)
        if tokens is not None:
            client.post("/api/v1/auth/logout", {"refresh_token": tokens["refresh_token"]})
            client.sessions.put(client.url, None)
    if common.json:
        print_json({"logged_out": tokens is not None})
    else:
        line("Logged out." if tokens else f"There was no session at {client.url}.")


def _ask(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise CliError("Give the user name: xget login NAME.")
    return input(prompt).strip()


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if "XGET_PASSWORD" in os.environ:
        return os.environ["XGET_PASSWORD"]
    if not sys.stdin.isatty():
        raise CliError("No terminal to ask for the password: use --password-stdin or XGET_PASSWORD.")
    return getpass.getpass("Password: ")
