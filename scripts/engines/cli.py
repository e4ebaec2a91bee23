"""The commands of `python scripts/engines`. Results go to stdout, progress and errors to stderr."""

from __future__ import annotations

import argparse
import json
import os
import signal
from types import FrameType

from engines import owners
from engines.errors import EngineError
from engines.install import say
from engines.kinds import KINDS
from engines.places import set_names
from engines.servers import masked
from engines.sets import EngineSet


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when all is well, 1 with sentences on stderr when it is not."""
    os.umask(0o022)  # servers that run as somebody else read what we install
    signal.signal(signal.SIGTERM, interrupted)
    options = parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except EngineError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


def interrupted(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends as Ctrl-C does: what is being started is stopped."""
    raise KeyboardInterrupt


def parser() -> argparse.ArgumentParser:
    """The command line."""
    whole = argparse.ArgumentParser(prog="python scripts/engines", description=__doc__)
    commands = whole.add_subparsers(dest="command", required=True)
    for name, text in HELP.items():
        one = commands.add_parser(name, help=text, description=text)
        one.add_argument("--set", default="dev", help="name of the set (default: dev)")
        if name in {"start", "stop"}:
            one.add_argument("names", nargs="*", metavar="ENGINE", help=f"of {', '.join(KINDS)} (default: all)")
        if name == "kill":
            one.add_argument("names", nargs=1, metavar="ENGINE", help=f"one of {', '.join(KINDS)}")
        if name == "start":
            one.add_argument("--fresh", action="store_true", help="begin with empty data")
            one.add_argument("--owner-pid", type=int, help="remove the set when this process has gone")
        if name in {"start", "urls"}:
            one.add_argument("--json", action="store_true", help="print the URLs as JSON")
        if name == "stop":
            one.add_argument("--remove", action="store_true", help="stop all and delete their data")
        if name == "status":
            one.add_argument("--all", action="store_true", help="every set")
    return whole


def engines(options: argparse.Namespace) -> list[str]:
    """Names that were given, or all."""
    unknown = sorted(set(options.names) - KINDS.keys())
    if unknown:
        raise EngineError(f"No engine is called {', '.join(unknown)}: use {', '.join(KINDS)}.")
    usual = [name for name, kind in KINDS.items() if options.command != "start" or not kind.on_demand]
    return list(dict.fromkeys(options.names)) or usual


def start(options: argparse.Namespace) -> int:
    names, group = engines(options), EngineSet(options.set)
    owners.sweep()
    if options.owner_pid is not None:
        owners.adopt(group, options.owner_pid)
    failures = group.start(names, fresh=options.fresh)
    show(group.urls(), as_json=options.json)
    for failure in failures.values():
        say(failure)
    return 1 if failures else 0


def stop(options: argparse.Namespace) -> int:
    names, group = engines(options), EngineSet(options.set)
    if options.remove:
        group.remove()
    else:
        group.stop(names)
    return 0


def status(options: argparse.Namespace) -> int:
    for name in set_names() if options.all else [options.set]:
        states = EngineSet(name).states()
        for engine, state in states.items():
            told = f"pid {state.pid}" if state.running else "not running"
            print(f"{name:<16} {engine:<14} {told:<14} {masked(state.url)}")
        if not states:
            print(f"{name:<16} never started")
    return 0


def urls(options: argparse.Namespace) -> int:
    show(EngineSet(options.set).urls(), as_json=options.json)
    return 0


def kill(options: argparse.Namespace) -> int:
    (name,) = engines(options)
    EngineSet(options.set).kill(name)
    return 0


def watch(options: argparse.Namespace) -> int:
    owners.watch(EngineSet(options.set))
    return 0


def show(found: dict[str, str], *, as_json: bool) -> None:
    """URLs, one a line or as one JSON object."""
    print(json.dumps(found) if as_json else "\n".join(f"{name:<14} {url}" for name, url in found.items()))


HELP = {
    "start": "start engines and wait until they answer",
    "stop": "stop engines; data stay",
    "status": "what runs",
    "urls": "print the URLs of what runs",
    "kill": "SIGKILL an engine, for fault trials",
    "watch": "wait for the end of a set's owner and remove the set; `start --owner-pid` runs this",
}
COMMANDS = {"start": start, "stop": stop, "status": status, "urls": urls, "kill": kill, "watch": watch}
