"""Old keys: retired when they wrote nothing that is stored, dropped when no backup needs them any more."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from xget_cli.client import Client
from xget_cli.commands.keys.told import KEEPERS, Json, Told
from xget_cli.errors import CliError
from xget_cli.options import Common
from xget_cli.output import line, print_json

_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass
class Plan:
    """What would be done with the keys of services that share them."""

    services: list[str]
    retire: list[str] = field(default_factory=list)
    forget: list[str] = field(default_factory=list)
    used: dict[str, int] = field(default_factory=dict)
    """Old keys that are needed, and how many secrets each wrote."""
    kept: dict[str, str] = field(default_factory=dict)
    """Retired keys that stay, and until when."""

    @property
    def path(self) -> str:
        """Where it is asked for."""
        return KEEPERS[self.services[0]]


def prune(client: Client, older_than: timedelta, *, do: bool, common: Common) -> int:
    """Show what can go, and with `do` let it go; the exit code."""
    told = Told.asked(client)
    used = _used(client)
    plans = [_plan(group, told.keys(group), used, older_than) for group in told.groups]
    if do:
        for plan in plans:
            _carry_out(client, plan)
    if common.json:
        print_json({"done": do, "plans": [_json(plan) for plan in plans]})
    else:
        for plan in plans:
            _show(plan, older_than, done=do)
        if not do and any(plan.retire or plan.forget for plan in plans):
            line("Nothing was changed: add --yes.")
    return 0


def restore(client: Client, key_id: str) -> None:
    """Bring a retired key back, wherever it is. Raises CliError."""
    told = Told.asked(client)
    for group in told.groups:
        if any(key["id"] == key_id and key["retired_at"] for key in told.keys(group)):
            client.post(f"{KEEPERS[group[0]]}/restore", {"ids": [key_id]})
            return
    raise CliError(f"There is no retired key {key_id}: `xget keys status` names them.")


def age(text: str) -> timedelta:
    """`30d`, `12h`, `4w`. Raises CliError."""
    found = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if found is None:
        raise CliError(f"{text!r} is no age: write it like 30d, 12h or 4w.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _used(client: Client) -> dict[tuple[str, str], int]:
    """How many secrets a key wrote in a service."""
    found: dict[tuple[str, str], int] = {}
    for service, path in KEEPERS.items():
        for one in client.get(f"{path}/usage")["counts"]:
            place = (service, one["key_id"])
            found[place] = found.get(place, 0) + one["rows"]
    return found


def _plan(services: list[str], keys: list[Json], used: dict[tuple[str, str], int], older_than: timedelta) -> Plan:
    plan = Plan(services)
    for key in keys:
        wrote = sum(used.get((service, key["id"]), 0) for service in services)
        if key["newest"]:
            continue
        if wrote:
            plan.used[key["id"]] = wrote
        elif key["retired_at"] is None:
            plan.retire.append(key["id"])
        elif (until := datetime.fromisoformat(key["retired_at"]) + older_than) <= datetime.now(UTC):
            plan.forget.append(key["id"])
        else:
            plan.kept[key["id"]] = f"{until:%Y-%m-%d %H:%M}"
    return plan


def _carry_out(client: Client, plan: Plan) -> None:
    """Each in one step of its own; one that was killed between is taken up by the next prune."""
    if plan.forget:
        client.post(f"{plan.path}/forget", {"ids": plan.forget})
    if plan.retire:
        client.post(f"{plan.path}/retire", {"ids": plan.retire})


def _show(plan: Plan, older_than: timedelta, *, done: bool) -> None:
    whose = ", ".join(plan.services)
    will, days = "was" if done else "would be", f"{older_than / timedelta(days=1):g}"
    for key_id in plan.retire:
        line(f"{whose}: the key {key_id} wrote nothing that is stored and {will} retired.")
    for key_id in plan.forget:
        line(f"{whose}: the key {key_id} was retired {days} days ago or more and {will} dropped for ever.")
    for key_id, until in plan.kept.items():
        line(f"{whose}: the key {key_id} stays retired until {until}: older backups need it.")
    for key_id, wrote in plan.used.items():
        line(f"{whose}: the key {key_id} wrote {wrote} secrets that are stored and stays: `xget keys rotate` first.")
    if not (plan.retire or plan.forget or plan.kept or plan.used):
        line(f"{whose}: there is no old key.")


def _json(plan: Plan) -> Json:
    return {
        "services": plan.services,
        "retire": plan.retire,
        "forget": plan.forget,
        "used": plan.used,
        "kept_until": plan.kept,
    }
