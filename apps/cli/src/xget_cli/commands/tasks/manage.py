"""`xget tasks list|show|start|stop|delete|results|certificate`"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from xget_cli.client import Client
from xget_cli.commands.tasks.certificate import show_certificate
from xget_cli.commands.tasks.waiting import told_waiting
from xget_cli.errors import CliError
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import line, print_json, table

LISTED = {
    "id": "id", "name": "task_name", "type": "task_type", "status": "status", "waits for": "waits_for",
    "done": "progress", "results": "result_count", "created": "created_at",
}  # fmt: skip
"""Columns, and what stands in them."""
_SPARE = ("created", "type", "done")
OBSERVED = ["posts", "looking", "hidden", "seen", "not_shown", "gone", "failed"]
PATH = "/api/v1/tasks"


def list_(
    *,
    status: Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "STOPPED"] | None = None,
    type: Annotated[str | None, Parameter(help="Task type, as KEYWORD_SEARCH.")] = None,
    page: int = 1,
    size: int = 20,
    common: Common = DEFAULTS,
) -> None:
    """List tasks, newest first."""
    with Client(common.url) as client:
        found = client.get(PATH, status=status, task_type=type, page=page, size=size)
    if common.json:
        return print_json(found)
    told = [task | {"waits_for": told_waiting(task), "progress": f"{task['progress']} %"} for task in found["items"]]
    columns = [name for name in LISTED if name != "waits for" or any(task["waits_for"] for task in told)]
    rows = [[task.get(LISTED[name]) for name in columns] for task in told]
    title = f"{found['total']} tasks (page {found['page']} of {max(found['pages'], 1)})"
    return table(title, columns, rows, spare=_SPARE)


def show(task_id: Id, *, common: Common = DEFAULTS) -> None:
    """Show a task, its executions, and what of it is seen again."""
    with Client(common.url) as client:
        task = client.get(f"{PATH}/{task_id}")
        executions = client.get(f"/api/v1/task-executions/task/{task_id}")["items"]
        observed = client.get(f"{PATH}/{task_id}/observations")
    if common.json:
        return print_json({"task": task, "executions": executions, "observations": observed})
    told = {**task, "waiting": told_waiting(task) or None}
    table("Task", ["field", "value"], [(k, _plain(v)) for k, v in told.items() if v is not None])
    if observed["reobserve"] or any(observed[name] for name in OBSERVED):
        table("Observations", ["next_due_at", *OBSERVED], [[observed[name] for name in ("next_due_at", *OBSERVED)]])
    columns = ["id", "kind", "status", "waits_for", "started_at", "completed_at", "result_count", "error_message"]
    runs = [e | {"waits_for": told_waiting(e)} for e in executions]
    if not any(run["waits_for"] for run in runs):  # a line of a terminal is short
        columns.remove("waits_for")
    return table("Executions", columns, [[e.get(c) for c in columns] for e in runs])


def _plain(value: Any) -> Any:
    """A value as people write it: a curve as `1h, 6h`, parameters as JSON."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def start(
    task_id: Id,
    *,
    goes_on: Annotated[
        bool, Parameter(name="--continue", negative="", help="A search: only what is new since its complete runs.")
    ] = False,
    watch: Annotated[bool, Parameter(negative="", help="Show progress until the end.")] = False,
    common: Common = DEFAULTS,
) -> int:
    """Run a task once more."""
    from xget_cli.commands.tasks.watch import follow  # noqa: PLC0415 - the progress bar is only needed with --watch

    with Client(common.url) as client:
        task = client.post(f"{PATH}/{task_id}/start", {"continue": True} if goes_on else None)
        if watch:
            return follow(client, task_id, common)
    _tell(task, f"Started task {task_id}.", common)
    return 0


def stop(task_id: Id, *, common: Common = DEFAULTS) -> None:
    """Stop a task after the page in hand, and see nothing of it again; what is collected stays."""
    with Client(common.url) as client:
        _tell(client.post(f"{PATH}/{task_id}/stop"), f"Stopping task {task_id}.", common)


def delete(task_id: Id, *, common: Common = DEFAULTS) -> None:
    """Delete a task; its items stay in the store."""
    with Client(common.url) as client:
        client.call("DELETE", f"{PATH}/{task_id}")
    _tell({"deleted": task_id}, f"Deleted task {task_id}.", common)


def results(
    task_id: Id,
    *,
    limit: int = 20,
    role: Literal["match", "context", "all"] = "all",
    cursor: str | None = None,
    common: Common = DEFAULTS,
) -> None:
    """Show what a task found, oldest sighting first."""
    with Client(common.url) as client:
        found = client.get(f"{PATH}/{task_id}/results", limit=limit, role=role, cursor=cursor)
    if common.json:
        return print_json(found)
    columns = ["native_id", "role", "created_at", "author_username", "lang", "text"]
    table(f"{found['total']} items, {found['matched']} matches", columns, [_cells(i, columns) for i in found["items"]])
    if found.get("next_cursor"):
        line(f"More: xget tasks results {task_id} --cursor {found['next_cursor']}")
    return None


def certificate(task_id: Id, *, common: Common = DEFAULTS) -> None:
    """Show how complete a task's last execution was."""
    with Client(common.url) as client:
        task = client.get(f"{PATH}/{task_id}")
        if task["execution_id"] is None:
            raise CliError(f"Task {task_id} has not run yet. Start it: xget tasks start {task_id}.")
        found = client.get(f"/api/v1/task-executions/{task['execution_id']}/certificate")
    if common.json:
        print_json(found)
    else:
        show_certificate(task, found)


def _cells(item: dict[str, Any], columns: list[str]) -> list[Any]:
    return [str(item.get(name) or "")[:100] for name in columns]


def _tell(data: Any, sentence: str, common: Common) -> None:
    if common.json:
        print_json(data)
    else:
        line(sentence)
