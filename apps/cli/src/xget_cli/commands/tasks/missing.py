"""`xget tasks targets|gaps|backfill`: what a task's last run did not get, and getting it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from cyclopts import Parameter

from xget_cli.client import Client
from xget_cli.errors import CliError
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import line, print_json, safe, table

PATH: Final = "/api/v1/tasks"
RUNS: Final = "/api/v1/task-executions"
WIDTH: Final = 80
"""Columns of a drawing."""
SHOWN: Final = 20
"""Targets that are drawn."""
Run = Annotated[str | None, Parameter(help="Id of the run; the task's last one when not given.")]


def targets(
    task_id: Id,
    *,
    end_reason: Annotated[str | None, Parameter(help="Only those that ended so, as not_found.")] = None,
    page: int = 1,
    size: int = 20,
    execution: Run = None,
    common: Common = DEFAULTS,
) -> None:
    """List the users, posts, lists or queries of a task, each with its counts and its end."""
    with Client(common.url) as client:
        run = execution or _last(client, task_id)
        found = client.get(f"{RUNS}/{run}/targets", end_reason=end_reason, page=page, size=size)
    if common.json:
        return print_json(found)
    columns = ["n", "label", "matched", "pages", "oldest_at", "newest_at", "end_reason", "detail"]
    title = f"{found['total']} targets (page {found['page']} of {max(found['pages'], 1)})"
    return table(title, columns, [[target.get(name) for name in columns] for target in found["items"]])


def gaps(task_id: Id, *, execution: Run = None, common: Common = DEFAULTS) -> None:
    """Draw what a task's last run is known to miss, and list it."""
    with Client(common.url) as client:
        run = execution or _last(client, task_id)
        found = client.get(f"{RUNS}/{run}/gaps", size=100)
        for page in range(2, found["pages"] + 1):
            found["items"] += client.get(f"{RUNS}/{run}/gaps", size=100, page=page)["items"]
    if common.json:
        return print_json(found)
    if not found["items"]:
        return line("Nothing is known to be missing.")
    for text in timeline(found):
        line(text)
    columns = ["target", "since", "until", "why"]
    table(f"{found['total']} gaps", columns, [[gap.get(name) for name in columns] for gap in found["items"]])
    return line(f"Fill them: xget tasks backfill {task_id}")


def backfill(
    task_id: Id,
    *,
    watch: Annotated[bool, Parameter(negative="", help="Show progress until the end.")] = False,
    common: Common = DEFAULTS,
) -> int:
    """Run only what a task's last run is missing: gaps, failed targets, and what it did not get to."""
    from xget_cli.commands.tasks.watch import follow  # noqa: PLC0415 - the progress bar is only needed with --watch

    with Client(common.url) as client:
        task = client.post(f"{PATH}/{task_id}/backfill")
        if watch:
            return follow(client, task_id, common)
    if common.json:
        print_json(task)
    else:
        line(f"Started task {task_id} for what is missing. Follow it: xget tasks watch {task_id}")
    return 0


def timeline(found: dict[str, Any], width: int = WIDTH) -> list[str]:
    """Lines of at most `width` columns: for each target a bar over the run's span of time, `.` where there is a gap."""
    times = [found["since"], found["until"]]
    times += [gap[end] for gap in found["items"] for end in ("since", "until")]
    known = sorted(datetime.fromisoformat(time) for time in times if time)
    if len(known) < 2 or known[0] == known[-1]:
        return []
    first, last = known[0], known[-1]
    bars: dict[str, list[str]] = {}
    for gap in found["items"]:
        bar = bars.setdefault(gap["target"], ["#"] * width)
        begin, end = (_column(gap[name], first, last, width) for name in ("since", "until"))
        begin, end = begin or 0, width if end is None else end
        for column in range(min(begin, width - 1), max(end, begin + 1)):
            bar[min(column, width - 1)] = "."
    lines = [text for label, bar in list(bars.items())[:SHOWN] for text in (safe(label)[:width], "".join(bar))]
    if len(bars) > SHOWN:
        lines.append(f"… and {len(bars) - SHOWN} targets more")
    left, right = (f"{moment:%Y-%m-%d %H:%M}" for moment in (first, last))
    return [*lines, left + right.rjust(width - len(left)), "# collected   . missing"]


def _column(time: str | None, first: datetime, last: datetime, width: int) -> int | None:
    if time is None:
        return None
    return int((datetime.fromisoformat(time) - first) / (last - first) * width)


def _last(client: Client, task_id: str) -> str:
    run = client.get(f"{PATH}/{task_id}")["execution_id"]
    if run is None:
        raise CliError(f"Task {task_id} has not run yet. Start it: xget tasks start {task_id}.")
    return str(run)
