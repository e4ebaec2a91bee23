"""A span for each SQL statement: its text with placeholders, never its values.

Listeners on SQLAlchemy's own class, and not OpenTelemetry's instrumentation: that replaces `create_async_engine` and
sees nothing of an engine whose module was imported before.
"""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.trace import Span, SpanKind
from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext

from xget_telemetry.tracing.context import current
from xget_telemetry.tracing.spans import NO_SPAN, failed, start

_SPAN: Final = "xget_span"
_LONGEST: Final = 2000


def trace_statements() -> None:
    """Trace the statements of all engines of this process from now on. Twice is fine."""
    for name, listener in (("before_cursor_execute", _begin), ("after_cursor_execute", _end), ("handle_error", _fail)):
        if not event.contains(Engine, name, listener):
            event.listen(Engine, name, listener)


def _begin(connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
    if context is None or not current().on:
        return
    attributes = {"db.system": connection.dialect.name, "db.statement": statement[:_LONGEST]}
    setattr(context, _SPAN, start(statement.split(None, 1)[0].upper(), kind=SpanKind.CLIENT, attributes=attributes))


def _end(_connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
    _taken(context).end()


def _fail(error: ExceptionContext) -> None:
    span = _taken(error.execution_context)
    failed(span, type(error.original_exception).__name__)
    span.end()


def _taken(context: Any) -> Span:
    span: Span = getattr(context, _SPAN, NO_SPAN)
    if span is not NO_SPAN:
        setattr(context, _SPAN, NO_SPAN)
    return span
