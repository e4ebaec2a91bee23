"""`xget migrate-data`"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from xget_cli.errors import CliError
from xget_cli.output import line, print_json, table

if TYPE_CHECKING:
    from xget_standalone.migration.progress import Watch
    from xget_standalone.migration.report import Line, Report

MARKS = {True: "yes", False: "NO", None: "-"}


def migrate_data(
    *,
    from_: Annotated[Path, Parameter(name="--from", help="Home folder of the single node that moves.")],
    to: Annotated[Path | None, Parameter(help="File of NAME=VALUE lines that selects the target's engines.")] = None,
    home: Annotated[Path | None, Parameter(help="Home of the target (XGET_HOME, ./.xget).")] = None,
    merge: Annotated[bool, Parameter(negative="", help="The target may hold data already.")] = False,
    dry_run: Annotated[bool, Parameter(negative="", help="Only say what would move.")] = False,
    json: Annotated[bool, Parameter(negative="", help="Print JSON instead of tables.")] = False,
) -> int:
    """Move a single node's folder into real engines and compare all of it; exit code 1 when something differs.

    The target is what the environment selects (POSTGRES_SERVER or DATABASE_URL, MONGODB_URL, ELASTICSEARCH_URL,
    KAFKA_BOOTSTRAP_SERVERS), or the file given with --to. The source is only read. Stop both first. A run that
    was cut short goes on where it was when the same command is given again.
    """
    from xget_kernel.errors import StartupError  # noqa: PLC0415 - `xget --help` must not load the services
    from xget_standalone.migration.run import Options, migrate  # noqa: PLC0415 - as above
    from xget_telemetry.logs import configure  # noqa: PLC0415 - as above

    configure("migrate-data", level="critical")
    logging.disable(logging.CRITICAL)  # clients log what the errors say
    options = Options(source=from_, settings=to, home=home, merge=merge, dry_run=dry_run)
    try:
        with _watching() as watch:
            report = asyncio.run(migrate(options, watch))
    except StartupError as error:
        raise CliError(str(error)) from error
    if json:
        from msgspec import to_builtins  # noqa: PLC0415 - only this path

        print_json({"good": report.good, **to_builtins(report)})
    else:
        _show(report)
    return 0 if report.good else 1


@contextmanager
def _watching() -> Iterator[Watch]:
    """Tells a person how far it is; says nothing to a file."""
    if not sys.stderr.isatty():
        yield lambda _name, _done, _total: None
        return
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import Progress  # noqa: PLC0415 - as above

    with Progress(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("…", total=None)

        def watch(name: str, done: int, total: int) -> None:
            bars.update(bar, description=name, completed=done, total=total or None)

        yield watch


def _show(report: Report) -> None:
    rows = [
        (
            one.concern,
            one.name,
            one.source,
            one.moved,
            one.present,
            one.merged,
            MARKS[one.verified],
            one.note or _off(one),
        )
        for one in report.lines
    ]
    table("", ("what", "which", "source", "moved", "there already", "merged", "verified", "says"), rows)
    for note in report.notes:
        line(note)
    if report.dry_run:
        held = ", ".join(f"{name} {number}" for name, number in report.contents.items())
        line(f"Nothing was moved. The target holds: {held or 'nothing'}.")
    elif report.good:
        line(
            "Everything is in the target and the same as in the source. Start XGet on it: docs/operations/migrating.md"
        )
    else:
        line("Not everything is the same: what is there was not overwritten. See the last column.")


def _off(one: Line) -> str:
    return f"{one.problems} differ or are missing: {', '.join(one.differing)}" if one.problems else ""
