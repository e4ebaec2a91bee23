"""What accounts have left, as tables with bars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from rich.text import Text

from xget_cli.client import Client
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import console, line, print_json, table

WIDTH: Final = 12
_WIDE: Final = 100
_LOW: Final = 0.2
_SPARE: Final = ("requests", "held", "spent")
_MANY: Final = 10_000
"""So many accounts are not added up for each who asks."""


def budget(
    *,
    operation: str | None = None,
    platform: str | None = None,
    page: int = 1,
    size: int = 50,
    common: Common = DEFAULTS,
) -> None:
    """Show what accounts have left: of the platform's windows by operation, of their day, and until when they rest.

    Times are UTC. A bar shows what is left.

    Parameters
    ----------
    operation
        Only this operation, as SearchTimeline.
    platform
        Only accounts of this platform.
    page
        Which page of accounts.
    size
        Accounts of a page, up to 100.
    """
    wanted = {"operation": operation, "platform": platform, "page": page, "size": size}
    with Client(common.url) as client:
        found = client.get("/api/v1/accounts/budget", **{k: v for k, v in wanted.items() if v is not None})
    if common.json:
        return print_json(found)
    totals = found["totals"]
    line(
        f"{totals['with_room']} of {totals['accounts']} accounts can work today; {totals['budget_left']:,} of "
        f"{totals['daily_budget']:,} requests are left until {_time(found['day_ends_at'])} UTC."
    )
    if found["totals"]["accounts"] >= _MANY:
        at = datetime.fromisoformat(found["summed_at"])
        line(f"These sums are of {at:%H:%M:%S} UTC: over so many accounts they are made every 30 s at most.")
    columns = ["operation", "left", "accounts", "without room", "next room", "used today"]
    if found["operations"]:
        rows = [_operation(row) for row in found["operations"]]
        table("By operation", columns, rows, spare=("used today", "accounts"))
    if found.get("money"):
        _money(found)
    columns = ["account, operation", "state", "left today, in the window", "full again", "rests until"]
    rows = [row for account in found["items"] for row in _account(account)]
    return table(f"By account, page {found['page']} of {max(1, found['pages'])}", columns, rows)


def _money(found: Mapping[str, Any]) -> None:
    """Official APIs: what a month may cost, and what is left of it."""
    whole = found["money"]
    line(
        f"Official API: {_usd(whole['left'])} of {_usd(whole['cap'])} are left until {_time(whole['resets_at'])} UTC; "
        f"{_usd(whole['spent'])} are spent, {_usd(whole['held'])} held for requests under way."
    )
    if float(whole.get("uncertain", 0)):
        line(f"Of what is spent, {_usd(whole['uncertain'])} are uncertain: nobody told of the answers.")
    columns = ["account", "left", "spent", "held", "month's cap", "results", "requests", "month ends"]
    table("Money", columns, [_spent(one) for one in found["items"] if one.get("money")], spare=_SPARE)


def _spent(account: Mapping[str, Any]) -> list[Any]:
    money = account["money"]
    cap = "" if money["results_cap"] is None else f" of {money['results_cap']:,}"
    return [
        account["username"],
        _told(bar(float(money["left"]), float(money["cap"])), _usd(money["left"])),
        *(Text(_usd(money[name]), no_wrap=True) for name in ("spent", "held", "cap")),
        f"{money['results']:,}{cap}",
        money["requests"],
        _time(money["resets_at"]),
    ]


def _usd(amount: str) -> str:
    return f"{float(amount):,.2f} USD"


def _operation(row: Mapping[str, Any]) -> list[Any]:
    left = _left(row["remaining"], row["limit"]) if row["known"] else "not known yet"
    room = _time(row["next_room_at"])
    return [row["operation"], left, row["accounts"], row["without_room"], room, row["used_today"]]


def _account(account: Mapping[str, Any]) -> list[list[Any]]:
    """A line for the account and its day, and one for the window of each operation."""
    left = _left(account["budget_left"], account["daily_budget"])
    day = [account["username"], account["state"], left, "", _time(account["rest_until"])]
    return [day, *map(_window, account["operations"])]


def _window(window: Mapping[str, Any]) -> list[Any]:
    known = window["limit"] is not None and window["remaining"] is not None
    left = _left(max(0, window["remaining"]), window["limit"]) if known else "not known yet"
    return [Text(f"  {window['operation']}"), "", left, _time(window["reset_at"]), _time(window["rest_until"])]


def _left(left: int, whole: int) -> Text:
    return _told(bar(left, whole), f"{left:,} of {whole:,}")


def _told(drawn: Text, words: str) -> Text:
    """A bar and what it means, in one piece."""
    return Text.assemble(drawn, " ", words, no_wrap=True)


def bar(left: float, whole: float) -> Text:
    """What is left of a whole, as a bar of WIDTH characters, or two thirds of that in a narrow terminal."""
    width = WIDTH if console().width >= _WIDE else WIDTH * 2 // 3
    share = min(1.0, max(0.0, left / whole)) if whole > 0 else 0.0
    full = round(share * width)
    if share > 0:
        full = max(1, full)
    colour = "red" if share == 0 else "yellow" if share <= _LOW else "green"
    return Text.assemble(("█" * full, colour), ("░" * (width - full), "dim"))


def _time(moment: str | None) -> str:
    """A time of day, with the date when it is another day."""
    if moment is None:
        return ""
    then = datetime.fromisoformat(moment)
    now = datetime.now(then.tzinfo)
    return f"{then:%H:%M}" if then.date() == now.date() else f"{then:%m-%d %H:%M}"
