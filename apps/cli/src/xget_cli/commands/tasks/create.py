"""`xget tasks create TYPE …`: one subcommand for each task type, from its declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import App, Parameter

from xget_cli.client import Client
from xget_cli.commands.tasks.curves import ages
from xget_cli.commands.tasks.declared import Run, command_name, command_of
from xget_cli.commands.tasks.watch import follow
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json
from xget_cli.subjects import proxy_id, usable_account_id
from xget_sources.ports import TaskTypeSpec
from xget_sources.x.tasks import TASK_TYPES

app = App(name="create", help="Create a task; it starts at once unless --no-start is given.")
for _spec in TASK_TYPES.values():
    app.command(f"{__name__}:{_spec.name.lower()}", name=command_name(_spec.name), help=_spec.summary)


@Parameter(name="*")
@dataclass(frozen=True)
class TaskOptions:
    """What every task may say."""

    name: Annotated[str | None, Parameter(help="Name of the task; made from the query when not given.")] = None
    route: Annotated[
        list[str] | None, Parameter(help="A route to the platform, as x_session or x_api; several in their order.")
    ] = None
    account: Annotated[str | None, Parameter(help="User name or id of the only account to use.")] = None
    proxy: Annotated[str | None, Parameter(help="Address or id of the proxy to use.")] = None
    reobserve: Annotated[
        str | None, Parameter(help="Ages at which the posts found are seen again, as 1h,6h,1d,7d,30d.")
    ] = None
    priority: Annotated[int, Parameter(help="1 is first, 10 is last.")] = 5
    start: Annotated[bool, Parameter(help="Start at once.")] = True
    watch: Annotated[bool, Parameter(negative="", help="Show progress until the end.")] = False


TASK = TaskOptions()


def __getattr__(attribute: str) -> Run:
    """The command of a task type."""
    return command_of(attribute, _create, {"task": (TaskOptions, TASK), "common": (Common, DEFAULTS)})


def _create(
    spec: TaskTypeSpec, parameters: dict[str, Any], *, task: TaskOptions = TASK, common: Common = DEFAULTS
) -> int:
    body = {
        "task_name": task.name or _named(spec, parameters),
        "task_type": spec.name,
        "parameters": parameters,
        "reobserve": ages(task.reobserve),
        "routes": task.route or None,
        "priority": task.priority,
        "immediate": task.start,
    }
    with Client(common.url) as client:
        body["account_id"] = task.account and usable_account_id(client, task.account)
        body["proxy_id"] = task.proxy and proxy_id(client, task.proxy)
        made = client.post("/api/v1/tasks", {name: value for name, value in body.items() if value is not None})
        if task.watch and task.start:
            return follow(client, made["id"], common)
    if common.json:
        print_json(made)
    else:
        line(f"Created task {made['id']} ({made['status']}). Follow it: xget tasks watch {made['id']}")
    return 0


def _named(spec: TaskTypeSpec, parameters: dict[str, Any]) -> str:
    """A name for people: the type and what it is about."""
    forms = [form for pair in spec.subjects.items() for form in pair]
    subject = next((parameters[form] for form in [*forms, *parameters] if form in parameters), "")
    if isinstance(subject, list):
        shown = ", ".join(map(str, subject[:3]))
        subject = f"{shown} and {len(subject) - 3} more" if len(subject) > 3 else shown
    kind = spec.name.lower().replace("_", " ")
    return (f"{kind}: {subject}" if subject else kind)[:200]
