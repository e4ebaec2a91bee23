"""`xget doctor`"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from xget_cli.errors import CliError
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json, table

if TYPE_CHECKING:
    from xget_standalone.doctor.findings import Finding

MARKS = {"ok": "ok", "idle": "-", "wrong": "WRONG"}


def doctor(
    *,
    home: Annotated[Path | None, Parameter(help="Folder of files and keys (XGET_HOME, ./.xget).")] = None,
    common: Common = DEFAULTS,
) -> int:
    """Say what each concern runs on, what is wrong and how to mend it; exit code 1 when something is wrong.

    Asks the engines themselves, by the same settings as the services, and the services that run. Changes nothing.
    """
    from xget_kernel.errors import StartupError  # noqa: PLC0415 - `xget --help` must not load the engines' clients
    from xget_standalone.doctor.checkup import check_up  # noqa: PLC0415 - as above

    logging.disable(logging.CRITICAL)  # clients log what the findings say
    gateway = common.url or os.environ.get("XGET_URL") or ""
    try:
        findings = asyncio.run(check_up(home, gateway.rstrip("/") or None))
    except StartupError as error:
        raise CliError(str(error)) from error
    wrong = [finding for finding in findings if finding.state == "wrong"]
    if common.json:
        from msgspec import to_builtins  # noqa: PLC0415 - only this path

        print_json({"well": not wrong, "findings": to_builtins(findings)})
    else:
        _show(findings, wrong)
    return 1 if wrong else 0


def _show(findings: Sequence[Finding], wrong: Sequence[Finding]) -> None:
    engines = [
        (MARKS[f.state], f.name, f.engine, f.version, _latency(f), _place(f), _short(f))
        for f in findings
        if f.area == "engine"
    ]
    others = [
        (MARKS[f.state], f.area, f.name, f.version, _latency(f), _short(f) or f.address)
        for f in findings
        if f.area != "engine" and (f.area != "clock" or f.state == "wrong")
    ]
    table("", ("", "engine of", "is", "version", "ms", "where", ""), engines)
    table("", ("", "what", "which", "version", "ms", ""), others)
    for finding in wrong:
        advice = finding.advice[:1].upper() + finding.advice[1:]
        line(f"\n{finding.area} {finding.name}: {finding.says}\n  → {advice}")
    for finding in filter(_is_degraded, findings):
        line(f"\n{finding.name}: {finding.says}")
    line("" if wrong else "\nAll is well.")


def _short(finding: Finding) -> str:
    """What is wrong, or works less well, is told in full below the tables."""
    return "see below" if finding.state == "wrong" or _is_degraded(finding) else finding.says


def _is_degraded(finding: Finding) -> bool:
    return finding.area == "service" and finding.state == "ok" and bool(finding.says)


def _place(finding: Finding) -> str:
    """The hosts without what the name of the engine says anyway."""
    parts = (one.rpartition("://")[2].rpartition("@")[2] for one in finding.address.split(","))
    return ",".join(part.partition("?")[0].rstrip("/") for part in parts) or finding.address


def _latency(finding: Finding) -> str:
    return "" if finding.latency_ms is None else f"{finding.latency_ms:.1f}"
