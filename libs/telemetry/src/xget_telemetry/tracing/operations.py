"""Spans for single operations of engines. Loading it loads their clients."""

from __future__ import annotations

from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor

from xget_telemetry.tracing.following import ServiceProvider
from xget_telemetry.tracing.statements import trace_statements


def instrument() -> None:
    """A span for each SQL statement, MongoDB command and Redis command, without their values."""
    trace_statements()
    provider = ServiceProvider()
    mongo, redis = PymongoInstrumentor(), RedisInstrumentor()
    if not mongo.is_instrumented_by_opentelemetry:
        mongo.instrument(tracer_provider=provider)
    if not redis.is_instrumented_by_opentelemetry:
        redis.instrument(tracer_provider=provider)
