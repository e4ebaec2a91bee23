"""Structured logs: one line per event with a static name, JSON for machines or columns for people."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO, cast

import orjson
import structlog
from opentelemetry import trace
from structlog.typing import FilteringBoundLogger, Processor

from xget_telemetry.redaction import redact

_QUIET = (
    "aiosqlite",
    "alembic",
    "asyncio",
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "uvicorn.access",
    "grpc",
    "elastic_transport",
)


def configure(service: str, json: bool = True, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Set up logging of this process; called once by who starts it. Lines go to `stream` (standard error).

    Lines of libraries that use `logging` come out in the same shape.
    """
    out = stream or sys.stderr
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared = _shared(service)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_last(json, out)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger; may be made at import. Event names are static (`page_stored`), facts are keyword arguments."""
    return cast(FilteringBoundLogger, structlog.get_logger(name))


def bind(**facts: Any) -> Bound:
    """From now on every line of this asyncio task carries `facts`, whichever logger writes it.

    Used in a `with` statement they end with the block.
    """
    return Bound(facts)


def bound(name: str) -> str:
    """What is bound to the lines of this task under a name; "" for nothing."""
    return str(structlog.contextvars.get_contextvars().get(name, ""))


class Bound:
    """Facts bound to the lines of this task; leaving the `with` block takes them off again."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self._tokens = structlog.contextvars.bind_contextvars(**facts)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_exc: object) -> None:
        structlog.contextvars.reset_contextvars(**self._tokens)


def _shared(service: str) -> list[Processor]:
    def name_service(_logger: Any, _method: str, event: Any) -> Any:
        event.setdefault("service", service)
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        name_service,
        _name_trace,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]


def _name_trace(_logger: Any, _method: str, event: Any) -> Any:
    """The trace that a line belongs to, if there is one."""
    found = trace.get_current_span().get_span_context()
    if found.is_valid:
        event["trace_id"], event["span_id"] = f"{found.trace_id:032x}", f"{found.span_id:016x}"
    return event


def _last(json: bool, out: TextIO) -> list[Processor]:
    if not json:
        return [structlog.dev.ConsoleRenderer(colors=out.isatty())]
    return [structlog.processors.JSONRenderer(serializer=_dump)]


def _dump(event: Any, **_options: Any) -> str:
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z
    return orjson.dumps(event, default=str, option=options).decode("utf-8", "replace")
