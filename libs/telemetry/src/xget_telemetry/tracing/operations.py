"""Spans for single operations of engines, by OpenTelemetry's own instrumentations. Loading it loads their clients."""

from __future__ import annotations

from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor

from xget_telemetry.tracing.following import ServiceProvider


def instrument() -> None:
    """A span for each SQL statement, MongoDB command and Redis command, without their values."""
    provider = ServiceProvider()
    sql, mongo, redis = SQLAlchemyInstrumentor(), PymongoInstrumentor(), RedisInstrumentor()
    if not sql.is_instrumented_by_opentelemetry:
        # SQLAlchemy 2.1 is newer than the range that its instrumentation declares; it works all the same.
        sql.instrument(tracer_provider=provider, skip_dep_check=True)
    if not mongo.is_instrumented_by_opentelemetry:
        mongo.instrument(tracer_provider=provider)
    if not redis.is_instrumented_by_opentelemetry:
        redis.instrument(tracer_provider=provider)
