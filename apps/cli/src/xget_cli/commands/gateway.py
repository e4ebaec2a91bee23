"""`xget gateway …`"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import httpx2 as httpx
from cyclopts import App, Parameter

from xget_cli.errors import CliError

app = App(name="gateway", help="The gateway's configuration.")


@app.command
def render(
    *,
    file: Path | None = None,
    jwks: str = "http://127.0.0.1:8001/.well-known/jwks.json",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
) -> None:
    """Print kong.yml with the public keys of a running auth service, ready for Kong itself.

    Parameters
    ----------
    file
        The declaration; the packaged one when not given.
    jwks
        Where auth publishes its keys.
    output
        File to write instead of printing.
    """
    from xget_kernel.errors import StartupError  # noqa: PLC0415 - only this command needs them
    from xget_standalone.gateway.config import default_path  # noqa: PLC0415 - as above
    from xget_standalone.gateway.render import with_keys  # noqa: PLC0415 - as above

    try:
        keys = httpx.get(jwks, timeout=5.0).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise CliError(f"No keys at {jwks}. Is auth running? Name its JWKS with --jwks.") from error
    try:
        text = with_keys(file or default_path(), keys)
    except StartupError as error:
        raise CliError(str(error)) from error
    if output is None:
        sys.stdout.write(text)
        return
    try:
        draft = output.with_name(f".{output.name}.{os.getpid()}")
        draft.write_text(text, "utf-8")
        draft.replace(output)
    except OSError as error:
        raise CliError(f"{output} cannot be written: {error.strerror}.") from error
