"""`xget up`"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from xget_cli.errors import CliError
from xget_cli.lean import lean


def up(
    *,
    port_base: Annotated[int, Parameter(help="Port of the gateway; services follow it, gRPC is 1000 above.")] = 8000,
    home: Annotated[Path | None, Parameter(help="Folder of all state (XGET_HOME, ./.xget).")] = None,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    open: Annotated[bool, Parameter(negative="", help="Requests without a token act as the local admin.")] = False,
    log_level: Annotated[str, Parameter(help="debug, info, warning or error.")] = "warning",
) -> int:
    """Run gateway, services and workers in one process; Ctrl-C drains and ends it.

    Parameters
    ----------
    open
        Only on a loopback address. Anyone who can reach this machine's loopback is then the administrator.
    """
    lean()
    from xget_kernel.errors import StartupError  # noqa: PLC0415 - `xget --help` must not load the services
    from xget_standalone.runner import Options, run  # noqa: PLC0415 - as above

    options = Options(port_base=port_base, home=home, host=host, open_mode=open, log_level=log_level)
    try:
        return asyncio.run(run(options))
    except StartupError as error:
        raise CliError(str(error)) from error
