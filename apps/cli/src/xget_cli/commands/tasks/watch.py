"""`xget tasks watch`: a live progress bar fed by the task's event stream, then the certificate."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from xget_cli.client import Client
from xget_cli.commands.tasks.certificate import show_certificate
from xget_cli.errors import Unreachable
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import console, print_json, safe

RECONNECTS = 30
NOTE_CHARS = 80
"""Of a message; when a task resumes and with how many accounts stands at its end."""
PAUSE_SECONDS = 1.0
ENDED = frozenset({"COMPLETED", "FAILED", "STOPPED"})


def watch(task_id: Id, *, common: Common = DEFAULTS) -> int:
    """Show a task's progress until it ends; exit code 1 when it failed."""
    with Client(common.url) as client:
        return follow(client, task_id, common)


def follow(client: Client, task_id: str, common: Common) -> int:
    """Follow a task to its end and print its certificate; 0 for COMPLETED, 1 otherwise."""
    path = f"/api/v1/tasks/{task_id}"
    if common.json:
        for _ in events(client, path):
            pass
    else:
        _draw(client, path)
    task = client.get(path)
    run = task["execution_id"]
    certificate = client.get(f"/api/v1/task-executions/{run}/certificate") if run else {}
    if common.json:
        print_json({"task": task, "certificate": certificate})
    else:
        show_certificate(task, certificate)
    return 0 if task["status"] == "COMPLETED" else 1


def _draw(client: Client, path: str) -> None:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console()) as bar:
        shown = bar.add_task("waiting", total=None)
        for event in events(client, path):
            note = event.get("message") or event.get("status", "")
            done = event.get("matched", event.get("result_count", 0))
            bar.update(shown, description=safe(str(note))[:NOTE_CHARS], completed=done, total=event.get("limit"))


def events(client: Client, path: str, pause: float = PAUSE_SECONDS) -> Iterator[dict[str, Any]]:
    """The task's events until it ended. A stream that breaks, as by a restart, is taken up again for a while.

    Raises Unreachable when the gateway never answered or stays away for RECONNECTS pauses.
    """
    last, left = None, 0
    while True:
        headers: dict[str, str] = {"Last-Event-ID": last} if last else {}
        try:
            with client.stream("GET", f"{path}/events", headers=headers) as answer:
                left = RECONNECTS
                for kind, identity, data in _parse(answer):
                    last = identity or last
                    if isinstance(data, dict):
                        yield data
                    if kind == "end" or (isinstance(data, dict) and data.get("status") in ENDED):
                        return
            if client.get(path)["status"] in ENDED:
                return
        except Unreachable:
            if left == 0:
                raise
        left -= 1
        time.sleep(pause)


def _parse(answer: httpx.Response) -> Iterator[tuple[str, str | None, Any]]:
    kind, identity, data = "message", None, ""
    for text in answer.iter_lines():
        if not text and data:
            yield kind, identity, json.loads(data)
            kind, identity, data = "message", None, ""
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "id":
            identity = value
        elif name == "data":
            data += value
