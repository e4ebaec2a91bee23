"""`xget sandbox`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def sandbox(
    *,
    port: Annotated[int, Parameter(help="Port of the forward proxy; 0 takes a free one.")] = 8899,
    ca: Annotated[Path | None, Parameter(help="Where to write the CA certificate.")] = None,
    seed: Annotated[int, Parameter(help="Another seed, another world.")] = 7,
    posts: Annotated[int, Parameter(help="How many posts the world has.")] = 2000,
    replay: Annotated[Path | None, Parameter(help="Serve recorded answers of this folder (manifest.json).")] = None,
    faults: Annotated[str | None, Parameter(help="Faults by request, as 429@3,88@5,drop@7.")] = None,
    limit_scale: Annotated[float, Parameter(help="X's own limits times this.")] = 10.0,
    days: Annotated[float, Parameter(help="How many days the posts are spread over.")] = 120.0,
    paging: Annotated[str, Parameter(help="How far searches can be read, as stall=800,lie=0.02,expire=900.")] = "",
    exits: Annotated[str | None, Parameter(help="More proxies to try, as http,socks5,drop*3.")] = None,
    imap: Annotated[int | None, Parameter(help="Port of an IMAP server with the mail of its people.")] = None,
    scenario: Annotated[str | None, Parameter(help="A scenario's name or file; it says what the world is.")] = None,
    scenarios: Annotated[bool, Parameter(help="List the scenarios that come along, and end.", negative="")] = False,
) -> int:
    """Run an offline stand-in of X behind a forward proxy; Ctrl-C ends it."""
    from xget_sandbox.main import run, tell_scenarios  # noqa: PLC0415 - `xget --help` must not load a web server

    if scenarios:
        return tell_scenarios()
    return run(
        port=port,
        ca_file=ca,
        seed=seed,
        posts=posts,
        replay=replay,
        faults=faults.split(",") if faults else [],
        limit_scale=limit_scale,
        days=days,
        paging=paging,
        scenario=scenario,
        exits=exits.split(",") if exits else [],
        imap=imap,
    )
