"""The example of docs/reference/grpc.md does what it says."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "grpc.md"
Adder = Callable[..., Awaitable[dict[str, Any]]]


async def run(app: FastAPI, owner: str) -> str:
    """What the example prints for an owner."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    told = {"XGET_INTERNAL_TOKEN": "inner", "XGET_OWNER": owner}
    told["XGET_ACCOUNT_POOL"] = f"127.0.0.1:{app.state.grpc_port}"
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=os.environ | told, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(made.communicate(), 120)
    assert made.returncode == 0
    return said.decode()


async def test_the_example_leases_reports_and_is_told_why_not(app: FastAPI, add_account: Adder) -> None:
    await add_account("grace")
    assert re.fullmatch(r"leased grace of ada until \S+\nverdict go_on .*\n", await run(app, "ada"))
    assert (await run(app, "bob")).startswith("NOT_FOUND There is no account of x")
