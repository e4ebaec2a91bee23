"""`xget audit`"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from xget_cli.client import Client
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import print_json, table
from xget_cli.people import found_id, names
from xget_cli.subjects import found_subject

_PIECE = 100
_COLUMNS = ["at", "by", "actor", "via", "action", "subject_id", "owner", "owner_id", "details"]
_NAMED = {"by": "actor", "owner": "owner_id"}
"""Columns with the name of whose id another column has."""
_MACHINES = {"playbook", "login", "keys", "pool"}


def audit(
    *,
    of: Annotated[Literal["accounts", "proxies"] | None, Parameter(help="Only these.")] = None,
    actor: Annotated[str | None, Parameter(help="Only what this user (name or id) or machine did.")] = None,
    subject: Annotated[
        str | None, Parameter(help="Only what was done to this account (name or id), proxy or grant.")
    ] = None,
    action: Annotated[str | None, Parameter(help="Only this, as account.viewed or grant.given.")] = None,
    since: Annotated[datetime | None, Parameter(help="Only from this time on, as 2026-11-22T08:00:00Z.")] = None,
    until: Annotated[datetime | None, Parameter(help="Only before this time.")] = None,
    limit: Annotated[int, Parameter(help="Most rows.")] = 50,
    common: Common = DEFAULTS,
) -> None:
    """List who did, changed or saw what with accounts and proxies; newest first."""
    wanted = {"action": action, "since": _utc(since), "until": _utc(until)}
    with Client(common.url) as client:
        wanted["subject"] = subject and found_subject(client, subject)
        wanted["actor"] = actor if actor in {None, *_MACHINES} else found_id(client, str(actor)) or actor
        sources = [_rows(client, name, wanted, limit) for name in ([of] if of else ["accounts", "proxies"])]
        found = list(islice(merge(*sources, key=lambda row: row["at"], reverse=True), limit))
        if common.json:
            return print_json({"items": found})
        known = names(client, [row[name] for row in found for name in ("actor", "owner_id")])
    rows = [[_cell(row, name, known) for name in _COLUMNS] for row in found]
    return table(f"{len(found)} rows", _COLUMNS, rows, spare=("owner_id", "owner"))


def _rows(client: Client, name: str, wanted: dict[str, str | None], limit: int) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        piece = client.get(f"/api/v1/{name}/audit", cursor=cursor, limit=min(_PIECE, max(1, limit)), **wanted)
        yield from piece["items"]
        cursor = piece["next_cursor"]
        if cursor is None:
            return


def _cell(row: dict[str, Any], name: str, known: dict[str, str]) -> str:
    if name in _NAMED:
        return known.get(row[_NAMED[name]], "")
    if name == "at":
        return str(row["at"])[:19]
    if name == "subject_id":
        return str(row["subject_id"] or row["subject_kind"])
    return json.dumps(row[name], ensure_ascii=False) if name == "details" else str(row[name])


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone().isoformat()
