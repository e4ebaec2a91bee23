"""Turning on the traces of a process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from xget_kernel.errors import StartupError
from xget_telemetry.tracing.context import making

PROTOCOL: Final = "http/protobuf"
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


@contextmanager
def configured(service: str | None = None) -> Iterator[bool]:
    """Trace within the block as the `OTEL_*` environment says; gives whether that is at all.

    Without an endpoint nothing is exported and nothing is loaded. Spans go out in batches from a bounded queue (what
    does not fit is dropped) and at the end of the block, for at most three seconds. `service` names a process of one
    service, unless `OTEL_SERVICE_NAME` does. Raises StartupError for a protocol other than OTLP over HTTP.
    """
    env = os.environ
    if not is_wanted(env):
        yield False
        return
    # The SDK and its exporter take 16 MB and a fifth of a second: only who traces pays for them.
    from xget_telemetry.tracing.exporting import Exporting  # noqa: PLC0415

    exporting = Exporting(env, single=service is not None)
    try:
        with making(exporting.tracer, service, exporting.losses):
            yield True
    finally:
        exporting.close()


def is_wanted(env: Mapping[str, str]) -> bool:
    """Whether these variables ask for traces. Raises StartupError for a protocol that is not spoken."""
    if env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or env.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    if not any(env.get(name) for name in _ENDPOINTS):
        return False
    asked = next((env[name] for name in _PROTOCOLS if env.get(name)), PROTOCOL)
    if asked != PROTOCOL:
        raise StartupError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL is {asked}, but XGet sends traces by {PROTOCOL} only: unset it, "
            "and give the port for HTTP (usually 4318) in OTEL_EXPORTER_OTLP_ENDPOINT."
        )
    return True
