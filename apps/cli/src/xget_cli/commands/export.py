"""`xget export TASK`"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from xget_cli.client import Client
from xget_cli.errors import CliError
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import line, print_json


def export(
    task_id: Id,
    *,
    format: Literal["jsonl", "csv"] = "jsonl",
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="File to write; standard output if none.")
    ] = None,
    common: Common = DEFAULTS,
) -> None:
    """Write everything a task found as JSON lines or CSV; a broken download leaves no half file."""
    path = f"/api/v1/tasks/export/{task_id}"
    with Client(common.url) as client, client.stream("POST", path, json={"format": format}) as answer:
        if output is None:
            for chunk in answer.iter_bytes():
                sys.stdout.buffer.write(chunk)
            return
        draft = output.with_name(f".{output.name}.{os.getpid()}.part")
        size = 0
        try:
            with draft.open("wb") as file:
                for chunk in answer.iter_bytes():
                    size += file.write(chunk)
            draft.replace(output)
        except OSError as error:
            raise CliError(f"{output} cannot be written: {error.strerror}.") from error
        finally:
            draft.unlink(missing_ok=True)
    if common.json:
        print_json({"file": str(output), "bytes": size})
    else:
        line(f"Wrote {output} ({size} bytes).")
