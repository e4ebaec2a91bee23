"""`xget tasks preview TYPE …`: what a task would ask, and how much it takes."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from xget_cli.client import Client
from xget_cli.commands.tasks.curves import ages
from xget_cli.commands.tasks.declared import Run, command_name, command_of
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json, table
from xget_sources.ports import TaskTypeSpec
from xget_sources.x.tasks import TASK_TYPES

app = App(name="preview", help="Show what a task would ask and how much it takes; nothing is asked or stored.")
for _spec in TASK_TYPES.values():
    app.command(f"{__name__}:{_spec.name.lower()}", name=command_name(_spec.name), help=_spec.summary)

Account = Annotated[str | None, Parameter(help="Id of the only account to use.", show_default=False)]

Route = Annotated[
    list[str] | None, Parameter(help="A route to the platform; several in their order.", show_default=False)
]

Reobserve = Annotated[
    str | None, Parameter(help="Ages at which the posts found would be seen again, as 1h,6h,1d.", show_default=False)
]


def __getattr__(attribute: str) -> Run:
    """The command of a task type."""
    options = {
        "route": (Route, None),
        "account": (Account, None),
        "reobserve": (Reobserve, None),
        "common": (Common, DEFAULTS),
    }
    return command_of(attribute, _preview, options)


def _preview(
    spec: TaskTypeSpec,
    parameters: dict[str, Any],
    *,
    route: list[str] | None = None,
    account: str | None = None,
    reobserve: str | None = None,
    common: Common = DEFAULTS,
) -> int:
    more = {"routes": route or None, "account_id": account, "reobserve": ages(reobserve)}
    body = {"task_type": spec.name, "parameters": parameters} | {k: v for k, v in more.items() if v is not None}
    with Client(common.url) as client:
        seen = client.post("/api/v1/tasks/preview", body)
    if common.json:
        print_json(seen)
        return 0
    for ask in seen["asks"]:
        line(ask)
    if seen["more"]:
        line(f"… and {seen['more']} more")
    table("", ["fact", "value"], _facts(seen))
    for warning in seen["warnings"]:
        line(f"Note: {warning}")
    return 0


def _facts(seen: dict[str, Any]) -> list[tuple[str, Any]]:
    """What is asked, line by line."""
    told = seen["estimate"]
    rows: list[tuple[str, Any]] = [
        ("targets", seen["targets"]),
        ("operations", ", ".join(seen["operations"])),
        ("results a page", seen["page_size"] or "one page is all there is"),
        ("accounts", "unknown" if told["accounts"] is None else told["accounts"]),
        ("requests", told["requests"] or f"at least {told['requests_at_least']}"),
    ]
    if told["again"] != 0:
        rows.append(("requests to see posts again", "unknown" if told["again"] is None else f"up to {told['again']}"))
    if seen.get("expected"):
        rows.append(("expected", seen["expected"]["sentence"]))
    return [*rows, ("estimate", told["sentence"])]
