"""`xget serve` and `xget worker`"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from xget_cli.errors import CliError
from xget_cli.lean import lean

Service = Annotated[str, Parameter(help="auth, account, proxy, scraper, processing, storage or gateway.")]
WithWorker = Annotated[str, Parameter(help="proxy, scraper, processing or storage.")]
Port = Annotated[int | None, Parameter(help="Port to listen on; 0 takes a free one.", show_default=False)]
Home = Annotated[Path | None, Parameter(help="Folder of files and keys (XGET_HOME, ./.xget).", show_default=False)]
Host = Annotated[str | None, Parameter(help="Address to listen on (XGET_HOST, 127.0.0.1).", show_default=False)]
Level = Annotated[str, Parameter(help="debug, info, warning or error.")]


def serve(
    service: Service,
    /,
    *,
    port: Port = None,
    home: Home = None,
    host: Host = None,
    open: Annotated[bool, Parameter(negative="", help="Requests without a token act as the local admin.")] = False,
    log_level: Level = "warning",
) -> int:
    """Run one service, or the gateway, in a process of its own; Ctrl-C drains and ends it.

    Parameters
    ----------
    port
        By default XGET_PORT, else the service's own: gateway 8000, auth 8001, scraper 8003, account 8004, proxy 8005,
        processing 8006, storage 8007; gRPC is 1000 above.
    """
    return _run("serve", service, port=port, home=home, host=host, open_mode=open, log_level=log_level)


def worker(
    service: WithWorker, /, *, port: Port = None, home: Home = None, host: Host = None, log_level: Level = "warning"
) -> int:
    """Run the worker of one service; Ctrl-C lets it finish what it has in hand.

    Parameters
    ----------
    port
        Where /healthz, /readyz and /metrics are: by default XGET_WORKER_PORT, else the service's port + 100.
    """
    return _run("work", service, port=port, home=home, host=host, log_level=log_level)


def _run(what: str, service: str, **options: object) -> int:
    lean()
    from xget_kernel.errors import StartupError  # noqa: PLC0415 - `xget --help` must not load the services
    from xget_standalone import single  # noqa: PLC0415 - as above

    chosen = single.Options(service=service, **options)  # type: ignore[arg-type]  # the callers above name and type them
    try:
        return asyncio.run(single.serve(chosen) if what == "serve" else single.work(chosen))
    except StartupError as error:
        raise CliError(str(error)) from error
