"""Accounts, proxies and lists of proxies by name: people know names, the services know ids."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Final

from cyclopts import Parameter

from xget_cli.client import Client
from xget_cli.errors import CliError
from xget_kernel.ids import is_id

Row = dict[str, Any]
Account = Annotated[str, Parameter(help="The account's user name or id.")]
Proxy = Annotated[str, Parameter(help="The proxy's address as the list shows it, as http://192.0.2.7:8080, or its id.")]
Provider = Annotated[str, Parameter(help="The provider's name or id.")]
_ADDRESS: Final = re.compile(
    r"(?:(?P<type>https?|socks5)://)?(?P<ip>\[[^\]]+\]|[^\s:/@]+)(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE
)
_MOST: Final = 100
_LONGEST: Final = 64
_SHOWN: Final = 5


@Parameter(name="*")
@dataclass(frozen=True)
class Which:
    """Which of several accounts with a name."""

    platform: Annotated[str | None, Parameter(help="Where the account is, when several have its name.")] = None


ANY = Which()


@dataclass(frozen=True)
class Kind:
    """Something that has a name and an id."""

    path: str
    what: str
    command: str
    """Lists all of them."""
    name: Callable[[Row], str]
    told: Callable[[Row], str]
    """Tells those of one name apart."""


def address(proxy: Row) -> str:
    """A proxy as lists show it."""
    host = f"[{proxy['ip']}]" if ":" in proxy["ip"] else proxy["ip"]
    return f"{proxy['type']}://{host}:{proxy['port']}"


ACCOUNTS: Final = Kind(
    "/api/v1/accounts",
    "account",
    "xget accounts list",
    lambda row: str(row["username"]),
    lambda row: f"{row['platform']}, of user {row['owner_id']}",
)
PROXIES: Final = Kind(
    "/api/v1/proxies",
    "proxy",
    "xget proxies list",
    address,
    lambda row: f"{address(row)} as {row['username'] or 'nobody'}, of user {row['owner_id']}",
)
PROVIDERS: Final = Kind(
    "/api/v1/proxies/providers",
    "provider",
    "xget proxies providers list",
    lambda row: str(row["name"]),
    lambda row: f"{row['host']}, of user {row['owner_id']}",
)


def account_id(client: Client, given: str, which: Which = ANY) -> str:
    """The id of an account by user name, whatever its case, or by id. Raises CliError with what to do."""
    if is_id(given):
        return given
    name = given.removeprefix("@")
    return _only(_named(client, name, which), ACCOUNTS) or _none(client, ACCOUNTS, name, which.platform)


def usable_account_id(client: Client, given: str) -> str:
    """As `account_id`, of an account that others lend when none of one's own has the name. Raises CliError."""
    name = given.removeprefix("@")
    own = given if is_id(given) else _only(_named(client, name), ACCOUNTS)
    if own:
        return own
    lent = client.get(f"{ACCOUNTS.path}/lent", size=_MOST, name=name)["items"] if _is_word(name) else []
    found = [row | {"id": row["account_id"]} for row in lent]
    return _only(found, ACCOUNTS) or _none(client, ACCOUNTS, name)


def account_path(client: Client, given: str, which: Which = ANY) -> str:
    """The address of an account. Raises CliError."""
    return f"{ACCOUNTS.path}/{account_id(client, given, which)}"


def proxy_id(client: Client, given: str) -> str:
    """The id of a proxy by its address, with scheme and port or without, or by id. Raises CliError."""
    if is_id(given):
        return given
    wanted = _place(given.strip())
    found = _rows(client, PROXIES, **wanted) if wanted else []
    return _only(found, PROXIES) or _none(client, PROXIES, given)


def provider_id(client: Client, given: str) -> str:
    """The id of a list of proxies by name, whatever its case, or by id. Raises CliError."""
    if is_id(given):
        return given
    found = [row for row in _rows(client, PROVIDERS) if row["name"].casefold() == given.casefold()]
    return _only(found, PROVIDERS) or _none(client, PROVIDERS, given)


def found_subject(client: Client, given: str) -> str:
    """The id of what has this name or address, an account first; else what was given. Raises CliError for several."""
    if is_id(given) or not _is_word(given):
        return given
    found = _only(_named(client, given.removeprefix("@")), ACCOUNTS)
    place = _place(given)
    if found is None and place.get("port"):
        found = _only(_rows(client, PROXIES, **place), PROXIES)
    return found or given


def _named(client: Client, name: str, which: Which = ANY) -> list[Row]:
    """Accounts with this name; none for what no account can be called."""
    return _rows(client, ACCOUNTS, name=name, platform=which.platform) if _is_word(name) else []


def _is_word(given: str) -> bool:
    return 0 < len(given) <= _LONGEST and given.isprintable()


def _place(given: str) -> dict[str, str | None]:
    """Type, host and port that an address names, as the service writes them; nothing for what is no address."""
    parts = _ADDRESS.fullmatch(given)
    return {} if parts is None else {name: value and value.lower() for name, value in parts.groupdict().items()}


def _rows(client: Client, kind: Kind, **wanted: str | None) -> list[Row]:
    found: list[Row] = client.get(kind.path, size=_MOST, **wanted)["items"]
    return found


def _only(found: list[Row], kind: Kind) -> str | None:
    if len(found) > 1:
        which = "; ".join(f"{row['id']} ({kind.told(row)})" for row in found[:_SHOWN])
        more = ", …" if len(found) > _SHOWN else ""
        raise CliError(f"{len(found)} have the name {kind.name(found[0])}, say which by its id: {which}{more}")
    return str(found[0]["id"]) if found else None


def _none(client: Client, kind: Kind, given: str, platform: str | None = None) -> str:
    """Raises CliError: there is none, what the near ones are called, and what lists all."""
    rows = _rows(client, kind, platform=platform)
    if kind is ACCOUNTS and len(rows) == _MOST and given.isprintable():
        rows += _rows(client, kind, platform=platform, username=given[:4])
    by_key = {name.casefold(): name for name in map(kind.name, rows)}
    near = [by_key[key] for key in get_close_matches(given[:_LONGEST].casefold(), by_key, n=3, cutoff=0.7)]
    like = f" (near it: {', '.join(near)})" if near else ""
    where = f" of {platform}" if platform else ""
    raise CliError(f"There is no {kind.what} {given[:_LONGEST]!r}{where} here{like}: `{kind.command}` shows yours.")
