"""`xget quarantine …`"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import App, Parameter

from xget_cli.client import Client
from xget_cli.errors import CliError
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import line, print_json, table

app = App(name="quarantine", help="Records that did not parse; nothing is thrown away.")
PATH = "/api/v1/quarantine"


@Parameter(name="*")
@dataclass(frozen=True)
class Which:
    """Which records."""

    platform: Annotated[str | None, Parameter(help="Of this platform.", show_default=False)] = None
    operation: Annotated[str | None, Parameter(help="Of this operation.", show_default=False)] = None
    parser_version: Annotated[str | None, Parameter(help="Which this parser rejected.", show_default=False)] = None
    task: Annotated[str | None, Parameter(help="Of this task.", show_default=False)] = None
    execution: Annotated[str | None, Parameter(help="Of this run.", show_default=False)] = None

    def query(self) -> dict[str, str]:
        """What is given, as the API names it."""
        given = {
            "platform": self.platform,
            "operation": self.operation,
            "parser_version": self.parser_version,
            "task": self.task,
            "execution_id": self.execution,
        }
        return {name: value for name, value in given.items() if value is not None}


ANY = Which()


@app.command(name="list")
def list_(
    *, state: str | None = None, which: Which = ANY, page: int = 1, size: int = 20, common: Common = DEFAULTS
) -> None:
    """List records in quarantine, newest first."""
    with Client(common.url) as client:
        found = client.get(PATH, state=state, page=page, size=size, **which.query())
    if common.json:
        return print_json(found)
    columns = ["id", "platform", "operation", "state", "parser_version", "native_id", "path", "reason"]
    return table(f"{found['total']} records", columns, [[r.get(c) for c in columns] for r in found["items"]])


@app.command
def show(record_id: Id, *, common: Common = DEFAULTS) -> None:
    """Show one record: where it was, what is wrong, the shape of its value, and the value itself."""
    with Client(common.url) as client:
        found = client.get(f"{PATH}/{record_id}")
    if common.json:
        return print_json(found)
    return table("", ["field", "value"], list(found.items()))


@app.command
def replay(*record_ids: str, which: Which = ANY, common: Common = DEFAULTS) -> None:
    """Parse records again with today's parser: those named, those that fit the options, else all.

    Shows how far it is. When it is stopped, run it again: what is done is done.
    """
    if record_ids and which.query():
        raise CliError("Give ids or options, not both.")
    wanted: dict[str, Any] = {"ids": list(record_ids)} if record_ids else which.query() or {"all": True}
    done = {"pages": 0, "replayed": 0, "still_open": 0}
    cursor: str | None = None
    with Client(common.url) as client:
        while True:
            report = client.post(f"{PATH}/replay", {**wanted, **({"cursor": cursor} if cursor else {})})
            done = {name: count + report[name] for name, count in done.items()}
            cursor = report["next_cursor"]
            if cursor is None:
                break
            if not common.json:
                line(f"{done['pages']} of {done['pages'] + report['remaining']} pages")
    if common.json:
        return print_json(done)
    return line(_told(done))


def _told(done: dict[str, Any]) -> str:
    if not done["pages"]:
        return "No open record fits."
    return f"{done['pages']} pages parsed again: {done['replayed']} records read, {done['still_open']} still open."
