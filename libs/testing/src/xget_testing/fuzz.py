"""schemathesis over a service's OpenAPI document, with the checks that XGet promises to pass."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from fastapi import FastAPI

from xget_testing.apps import serving_in_thread

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
)


def fuzz(
    app: FastAPI,
    *,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    max_examples: int = 15,
    without: Sequence[str] = (),
    arguments: Sequence[str] = (),
) -> None:
    """Serve the app and run schemathesis over all its operations; AssertionError with its report if a check fails.

    `without` leaves out checks; `arguments` go to the `schemathesis run` command. Takes seconds: mark tests slow.
    """
    sent = dict(headers or {}) | ({} if token is None else {"Authorization": f"Bearer {token}"})
    checks = [c for c in CHECKS if c not in without]
    with serving_in_thread(app) as base_url:
        command = _command(f"{base_url}/openapi.json", sent, checks, max_examples)
        done = subprocess.run(  # noqa: S603 -- our own arguments
            [*command, *arguments], capture_output=True, text=True, timeout=600, check=False, env=_environment()
        )
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-5000:]


def _command(url: str, headers: Mapping[str, str], checks: Sequence[str], max_examples: int) -> list[str]:
    config = Path(__file__).with_name("schemathesis.toml")
    command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={config}", "run", url]
    command.append(f"--checks={','.join(checks)}")
    command += [f"--max-examples={max_examples}", "--seed=1", "--no-color", "--suppress-health-check=all"]
    return command + [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]


def _environment() -> dict[str, str]:
    return {**os.environ, "NO_PROXY": "127.0.0.1", "SCHEMATHESIS_HOOKS": "", "PYTHONWARNINGS": "ignore"}
