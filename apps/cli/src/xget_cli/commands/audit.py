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

_PIECE = 100
_COLUMNS = ["at", "actor", "via", "action", "subject_id", "owner_id", "details"]


def audit(
    *,
    of: Annotated[Literal["accounts", "proxies"] | None, Parameter(help="Only these.")] = None,
    actor: Annotated[str | None, Parameter(help="Only what this user or machine did.")] = None,
    subject: Annotated[str | None, Parameter(help="Only what was done to this account, proxy or grant.")] = None,
    action: Annotated[str | None, Parameter(help="Only this, as account.viewed or grant.given.")] = None,
    since: Annotated[datetime | None, Parameter(help="Only from this time on, as 2026-11-22T08:00:00Z.")] = None,
    until: Annotated[datetime | None, Parameter(help="Only before this time.")] = None,
    limit: Annotated[int, Parameter(help="Most rows.")] = 50,
    common: Common = DEFAULTS,
) -> None:
    """List who did, changed or saw what with accounts and proxies; newest first."""
    wanted = {
        "actor": actor, "subject": subject, "action": action, "since": _utc(since), "until": _utc(until),
    }  # fmt: skip
    with Client(common.url) as client:
        sources = [_rows(client, name, wanted, limit) for name in ([of] if of else ["accounts", "proxies"])]
        found = list(islice(merge(*sources, key=lambda row: row["at"], reverse=True), limit))
    if common.json:
        return print_json({"items": found})
    return table(f"{len(found)} rows", _COLUMNS, [[_cell(row, name) for name in _COLUMNS] for row in found])


def _rows(client: Client, name: str, wanted: dict[str, str | None], limit: int) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        piece = client.get(f"/api/v1/{name}/audit", cursor=cursor, limit=min(_PIECE, max(1, limit)), **wanted)
        yield from piece["items"]
        cursor = piece["next_cursor"]
        if cursor is None:
            return


def _cell(row: dict[str, Any], name: str) -> str:
    if name == "at":
        return str(row["at"])[:19]
    if name == "subject_id":
        return str(row["subject_id"] or row["subject_kind"])
    return json.dumps(row[name], ensure_ascii=False) if name == "details" else str(row[name])


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone().isoformat()
