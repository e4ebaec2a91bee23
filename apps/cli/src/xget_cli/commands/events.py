"""`xget events …`"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import App, Parameter

from xget_cli.errors import CliError
from xget_cli.output import line, print_json, table

if TYPE_CHECKING:
    from xget_events.log import EventLog

T = TypeVar("T")

app = App(
    name="events",
    help="Messages that failed for good: what waits in the dead letters, and sending it again. Reads the event log"
    " itself (KAFKA_BOOTSTRAP_SERVERS, or the home folder), also while XGet runs.",
)

Home = Annotated[Path | None, Parameter(help="Folder of all state (XGET_HOME, ./.xget).")]
Json = Annotated[bool, Parameter(negative="", help="Print JSON instead of tables.")]


@app.command
def dlq(topic: str, /, *, limit: int = 100, home: Home = None, json: Json = False) -> None:
    """List the dead letters of TOPIC that wait, with the reason of each."""
    from xget_events import dlq as letters  # noqa: PLC0415 - `xget --help` must not load it

    found = _with_log(home, topic, lambda log, name: letters.waiting(log, name, limit=_positive(limit)))
    if json:
        import msgspec  # noqa: PLC0415 - as above

        return print_json(msgspec.to_builtins(found))
    rows = [[n.offset, n.at.isoformat(timespec="seconds"), n.group, n.key, n.replayed, n.reason] for n in found]
    return table(f"{len(found)} dead letters", ["offset", "at", "group", "key", "replayed", "reason"], rows)


@app.command
def replay(
    topic: str,
    /,
    *,
    group: Annotated[str | None, Parameter(help="Only letters that this consumer group gave up.")] = None,
    limit: Annotated[int | None, Parameter(help="At most so many.")] = None,
    dry_run: Annotated[bool, Parameter(negative="", help="Say how many, and send nothing.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Send the dead letters of TOPIC again, oldest first. What fails once more comes back."""
    from xget_events import dlq as letters  # noqa: PLC0415 - as above

    most = None if limit is None else _positive(limit)
    done = _with_log(home, topic, lambda log, name: letters.replay(log, name, group=group, limit=most, dry_run=dry_run))
    if json:
        return print_json({"sent": done.sent, "kept": done.kept, "dry_run": dry_run})
    kept = f", {done.kept} of other groups kept" if done.kept else ""
    return line(f"{done.sent} {'would be sent' if dry_run else 'sent'} again{kept}")


def _positive(limit: int) -> int:
    if limit < 1:
        raise CliError("--limit must be at least 1.")
    return limit


def _with_log(home: Path | None, topic: str, work: Callable[[EventLog, str], Awaitable[T]]) -> T:
    """Open the event log that the settings select and work on one of its topics."""
    from xget_events.opening import open_event_log  # noqa: PLC0415 - as above
    from xget_kernel.errors import StartupError, XGetError  # noqa: PLC0415 - as above
    from xget_kernel.settings import ServiceSettings  # noqa: PLC0415 - as above

    async def run() -> T:
        settings = ServiceSettings(**({"home": home} if home else {}))
        spec = _spec(settings, topic.removesuffix(".dlq"))
        if not settings.is_real("events") and not (settings.home / "events.db").exists():
            raise CliError(f"There is no event log in {settings.home}: name the folder of `xget up` with --home.")
        log = open_event_log(settings)
        try:
            await log.create_topics([spec])
            return await work(log, spec.name)
        finally:
            await log.close()

    try:
        return asyncio.run(run())
    except StartupError as error:
        raise CliError(str(error)) from error
    except XGetError as error:
        raise CliError(error.detail) from error


def _spec(settings: Any, topic: str) -> Any:
    """The declared topic, under the name that the settings give it."""
    import msgspec  # noqa: PLC0415 - as above

    from xget_events.topics import load_topics  # noqa: PLC0415 - as above

    known = {}
    for spec in load_topics():
        field = spec.name.removeprefix("xget.").replace("-", "_")
        name = getattr(settings, f"kafka_topic_{field}", spec.name)
        known[name] = msgspec.structs.replace(spec, name=name)
    if topic not in known:
        raise CliError(f"There is no topic {topic}: it is one of {', '.join(sorted(known))}.")
    return known[topic]
