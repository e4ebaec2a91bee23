"""Running the sandbox as a command."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from xget_sandbox.app import Options, Sandbox
from xget_sandbox.errors import SandboxError
from xget_sandbox.scenario import find_scenario, scenarios

DEFAULT_CA = Path(".xget/sandbox-ca.pem")


def run(
    *,
    port: int = 8899,
    ca_file: Path | str | None = None,
    seed: int = 7,
    posts: int = 2000,
    replay: Path | str | None = None,
    faults: Sequence[str] = (),
    limit_scale: float = 10.0,
    days: float = 120.0,
    paging: str = "",
    scenario: str | None = None,
    exits: Sequence[str] = (),
    imap: int | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT; the exit code is 0, or 2 after one line on stderr that names the mistake."""
    options = Options(
        port=port,
        ca_file=Path(ca_file) if ca_file else DEFAULT_CA,
        seed=seed,
        posts=posts,
        replay=Path(replay) if replay else None,
        faults=faults,
        limit_scale=limit_scale,
        days=days,
        paging=paging,
        exits=exits,
        imap_port=imap,
    )
    try:
        asyncio.run(_serve(options.under(find_scenario(scenario)) if scenario else options))
    except SandboxError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


async def _serve(options: Options) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with Sandbox(options) as sandbox:
        sys.stdout.write(f"sandbox ready: proxy {sandbox.proxy_url} ca {options.ca_file}\n")
        if options.imap_port is not None:
            sys.stdout.write(f"imap: localhost:{sandbox.imap_port}\n")
        for name, told in sandbox.exits.told()["exits"].items():
            sys.stdout.write(f"exit {name}: {told['url']}\n")
        sys.stdout.flush()
        await stopped.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m xget_sandbox`."""
    given = parser().parse_args(arguments)
    if given.scenarios:
        return tell_scenarios()
    return run(
        port=given.port,
        ca_file=given.ca,
        seed=given.seed,
        posts=given.posts,
        replay=given.replay,
        faults=given.faults,
        limit_scale=given.limit_scale,
        days=given.days,
        paging=given.paging,
        scenario=given.scenario,
        exits=given.exits,
        imap=given.imap,
    )


def tell_scenarios() -> int:
    """One line for each scenario that comes along; exit code 2 when one of them is wrong."""
    for name, path in scenarios().items():
        try:
            sys.stdout.write(f"{name:<20} {find_scenario(str(path)).about}\n")
        except SandboxError as error:
            sys.stderr.write(f"sandbox: {error}\n")
            return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    made = argparse.ArgumentParser(prog="xget_sandbox", description="An offline x.com behind a forward proxy.")
    made.add_argument("--port", type=int, default=8899, help="port on 127.0.0.1; 0 picks a free one (8899)")
    made.add_argument("--ca", type=Path, default=DEFAULT_CA, metavar="FILE", help=f"CA certificate ({DEFAULT_CA})")
    made.add_argument("--seed", type=int, default=7, help="seed of the world (7)")
    made.add_argument("--posts", type=int, default=2000, help="posts in the world (2000)")
    made.add_argument("--replay", type=Path, metavar="DIR", help="serve recordings by DIR/manifest.json")
    made.add_argument("--faults", action="append", default=[], metavar="LIST", help="such as 429@3,empty@5,drop%%0.1")
    made.add_argument("--days", type=float, default=120.0, help="days that the posts are spread over (120)")
    made.add_argument("--paging", default="", metavar="LIST", help="such as stall=800,how=mixed,lie=0.02,expire=900")
    made.add_argument("--imap", type=int, metavar="N", help="port of an IMAP server with the mail of its people")
    made.add_argument("--exits", action="append", default=[], metavar="LIST", help="more proxies: http,socks5,drop*3…")
    made.add_argument("--scenario", metavar="NAME", help="a scenario's name or .yaml file; it says what the world is")
    made.add_argument("--scenarios", action="store_true", help="list the scenarios that come along, and end")
    made.add_argument("--limit-scale", type=float, default=10.0, help="X's limits times this (10)")
    return made
