"""`xget cluster`"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from xget_cli.errors import CliError


def cluster(
    *,
    port_base: Annotated[int, Parameter(help="Port of the gateway; services follow it, gRPC is 1000 above.")] = 8000,
    home: Annotated[Path | None, Parameter(help="Folder of files, keys and logs (XGET_HOME, ./.xget).")] = None,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    open: Annotated[bool, Parameter(negative="", help="Requests without a token act as the local admin.")] = False,
    replicas: Annotated[str, Parameter(help="Workers, as worker=2,processing=2,storage=2.")] = "",
    log_level: Annotated[str, Parameter(help="debug, info, warning or error.")] = "warning",
) -> int:
    """Run one process per service and worker on this machine and keep them running; Ctrl-C drains and ends them.

    Engines are those of the environment (POSTGRES_SERVER or DATABASE_URL, MONGODB_URL, ELASTICSEARCH_URL,
    KAFKA_BOOTSTRAP_SERVERS, REDIS_URL); what is not set is embedded in the home folder.
    """
    from xget_kernel.errors import StartupError  # noqa: PLC0415 - `xget --help` must not load the services
    from xget_standalone.cluster.supervisor import Options, run  # noqa: PLC0415 - as above

    options = Options(
        program=[sys.executable, "-m", "xget_cli"],
        port_base=port_base,
        home=home,
        host=host,
        open_mode=open,
        replicas=replicas,
        log_level=log_level,
    )
    try:
        return asyncio.run(run(options, os.environ))
    except StartupError as error:
        raise CliError(str(error)) from error
