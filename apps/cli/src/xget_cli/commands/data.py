"""`xget data …`"""

from __future__ import annotations

from typing import Any

from cyclopts import App

from xget_cli.client import Client
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import line, print_json, safe, table

app = App(name="data", help="Single items: how they were seen, and as the platform sent them.")
PATH = "/api/v1/data"


@app.command
def history(
    key: Id, *, oldest: bool = False, size: int = 20, cursor: str | None = None, common: Common = DEFAULTS
) -> None:
    """Show how executions saw an item: its counts over time, what they grew by, its edits and its end.

    Parameters
    ----------
    key
        Key of the item, as lists show it (x:1234567890).
    oldest
        Begin with the oldest sight.
    """
    with Client(common.url) as client:
        sort = "oldest" if oldest else "newest"
        found = client.get(f"{PATH}/{key}/history", sort=sort, size=size, cursor=cursor)
    if common.json:
        return print_json(found)
    rows = found["items"]
    counts = list(dict.fromkeys(name for row in rows for name in row["metrics"]))
    table("", ["seen", "task", "role", *counts], [_row(rows, n, counts, oldest=oldest) for n in range(len(rows))])
    if found.get("next_cursor"):
        line(f"More: --cursor {found['next_cursor']}")
    _edits(found)
    return None


@app.command
def raw(key: Id, *, page: str | None = None, common: Common = DEFAULTS) -> None:
    """Print an item as the platform sent it.

    Parameters
    ----------
    key
        Key of the item, as lists show it (x:1234567890).
    page
        Page to cut it out of, as EXECUTION/NUMBER; the one that showed it last when left out.
    """
    with Client(common.url) as client:
        found = client.get(f"{PATH}/{key}/raw", page=page)
    print_json(found if common.json else found["record"])


def _edits(found: dict[str, Any]) -> None:
    """Versions and earlier texts, and between which sights the post went, as far as there are any."""
    if found["versions"]:
        columns = ["key", "created_at", "first_seen", "editable_until", "latest", "text"]
        table("Versions", columns, [[one[name] for name in columns] for one in found["versions"]])
    if found["revisions"]:
        columns = ["last_seen", "changed_by", "text"]
        table("Earlier texts", columns, [[one[name] for name in columns] for one in found["revisions"]])
    if found["gone"]:
        seen = f"last seen as it was {found['alive_at'][:19]}, " if found["alive_at"] else ""
        line(f"Gone ({safe(found['gone'])}): {seen}first missed {found['gone_at'][:19]}.")


def _row(rows: list[dict[str, Any]], n: int, counts: list[str], *, oldest: bool) -> list[str]:
    row, place = rows[n], n - 1 if oldest else n + 1
    before = rows[place]["metrics"] if 0 <= place < len(rows) else {}
    grown = [_grown(row["metrics"].get(name), before.get(name)) for name in counts]
    return [safe(row["seen_at"])[:19], safe(row["task_id"]), safe(row["role"]), *grown]


def _grown(now: int | None, before: int | None) -> str:
    """A count, and by how much it differs from the sight before."""
    if now is None:
        return ""
    return f"{now:,}" if before is None or now == before else f"{now:,} ({now - before:+,})"
