"""`xget migrate-data`: from a single node's folder into the engines of a cluster."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from xget_kernel.errors import StartupError
from xget_standalone.choices import home_of
from xget_standalone.home import Home
from xget_standalone.migration.plan import Plan
from xget_standalone.migration.progress import Progress, Watch
from xget_standalone.migration.report import Report
from xget_standalone.migration.source import Source, opened
from xget_standalone.migration.target import Target, read_settings
from xget_standalone.starting import explained

_MOST_TOLD = 6


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for."""

    source: Path
    settings: Path | None = None
    """File of settings that select the target's engines; None takes those of the environment."""
    home: Path | None = None
    """Of the target; None leaves it to the environment."""
    merge: bool = False
    dry_run: bool = False


async def migrate(options: Options, watch: Watch) -> Report:
    """Move everything and compare. Raises StartupError, before anything is written if the target is not fit."""
    read_settings(options.settings)
    with explained():
        async with AsyncExitStack() as stack:
            source = stack.enter_context(opened(options.source))
            target = Target(home_of(options.home), options.source)
            if not target.same_home and not options.dry_run:
                stack.enter_context(Home(target.home))
            return await _migrate(options, source, target, watch, stack)


async def _migrate(options: Options, source: Source, target: Target, watch: Watch, stack: AsyncExitStack) -> Report:
    progress = Progress.of(source.path, target.name(), _stamp(source.path))
    plan = Plan(source, target, stack, merge=options.merge or progress.merge)
    contents = await plan.look()
    if contents and not progress.begun and not plan.merge and not options.dry_run:
        raise StartupError(
            f"The target is not empty ({_told(contents)}): choose an empty one, or run again with --merge, which "
            "merges documents and leaves rows that are there as they are."
        )
    steps = await plan.steps(dry_run=options.dry_run)
    for step in steps:
        await step.measure()
    if not options.dry_run:
        progress.begin(merge=plan.merge)
        for step in steps:
            await step.move(progress, watch)
        for step in steps:
            await step.verify(watch)
    return Report(
        source=str(source.path),
        target=target.addresses(),
        dry_run=options.dry_run,
        contents=contents,
        lines=[step.line for step in steps],
        notes=plan.notes,
    )


def _told(contents: dict[str, int]) -> str:
    told = [f"{name} {number}" for name, number in list(contents.items())[:_MOST_TOLD]]
    more = len(contents) - _MOST_TOLD
    return ", ".join(told) + (f" and {more} more" if more > 0 else "")


def _stamp(folder: Path) -> str:
    """Changes when a node has run on the folder since."""
    files = sorted(path for path in folder.glob("*.db*") if not path.name.endswith("-shm"))
    skipped = ("search.db",)
    stats = [(path.name, path.stat()) for path in files if not path.name.startswith(skipped)]
    return json.dumps([(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats if stat.st_size])
