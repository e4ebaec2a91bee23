"""Structured logs with redaction, OpenTelemetry traces and Prometheus metrics."""
