"""Keys and secrets for people."""

from __future__ import annotations

from xget_cli.commands.keys.told import Found, Json, Told, each_own
from xget_cli.options import Common
from xget_cli.output import line, print_json, table


def show(told: Told, found: Found) -> None:
    """The keys, what they wrote, and what is lost."""
    rows = []
    for group in told.groups:
        for key in told.keys(group):
            wrote = sum(c["rows"] for c in found.counts if c["key_id"] == key["id"] and c["service"] in group)
            rows.append((" ".join(group), key["id"], key["wrapped_by"], _state(key), wrote))
    table("", ["services", "key", "wrapped by", "", "secrets"], rows)
    columns = ["service", "table", "column", "key_id", "rows", "unreadable"]
    written = [[one[column] for column in columns] for one in found.counts]
    table("", [*columns[:-1], "lost"], written, spare=("service",))
    for service, trouble in told.troubles.items():
        line(f"{service}: {trouble}")
    if found.unreadable:
        show_lost(told, found)


def show_lost(told: Told, found: Found) -> None:
    """Which secrets cannot be opened, and what to do."""
    table("", ["service", "table", "row", "column", "key"], [_row(one) for one in found.unreadable])
    lost = sorted({one["key_id"] for one in found.counts if one["unreadable"]})
    line(f"{found.lost} secrets cannot be opened; their keys: {', '.join(lost)}.")
    away = {key["id"] for group in told.groups for key in told.keys(group) if key["retired_at"]}
    for key_id in sorted(away.intersection(lost)):
        line(f"The key {key_id} is retired: `xget keys restore {key_id}` brings it back.")
    line("1. Restore the keys.json, the table data_keys or XGET_KEYS that holds these keys: it is taken up at once.")
    line("2. Run `xget keys status` again: accounts that were set aside for it work again.")
    line("3. Without a backup set these secrets again: `xget accounts import FILE`, `xget proxies import FILE`.")


def tell(found: Found, told: Told, changed: int, common: Common) -> int:
    """How far all secrets are of the newest keys; the exit code."""
    total, late = found.total, found.late(told.newest)
    if common.json:
        newest = told.newest["account"] if len(told.groups) == 1 else told.newest
        body = {"newest": newest, "changed": changed, "secrets": total, "late": late, "unreadable": found.lost}
        print_json({**body, "counts": found.counts})
    else:
        of = "the key" if len(told.groups) == 1 else "the keys"
        good = total - late - found.lost
        line(f"{changed} secrets were written anew. {good} of {total} are of {of} {each_own(told, told.newest.get)}.")
        if late:
            line(f"{late} are of other keys: run `xget keys rotate`.")
        if found.unreadable:
            show_lost(told, found)
    return 1 if late or found.lost else 0


def _state(key: Json) -> str:
    if key["retired_at"]:
        return f"retired {key['retired_at'][:10]}"
    return "newest" if key["newest"] else ""


def _row(one: Json) -> tuple[str, ...]:
    return one["service"], one["table"], one["id"], one["column"], one["key_id"]
