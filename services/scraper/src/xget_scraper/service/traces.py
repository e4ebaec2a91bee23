"""Spans of a run: one for the whole, one for each page with the requests that it took."""

from __future__ import annotations

from xget_scraper.service.jobs import Job
from xget_telemetry.tracing import Attributes, Open, SpanKind, span


def run_span(job: Job) -> Open:
    """A run, in the trace of the request that wanted the execution."""
    attributes: Attributes = {
        "xget.task_id": job.task_id,
        "xget.execution_id": job.execution_id,
        "xget.task_type": job.task_type,
        "xget.platform": job.platform,
        "xget.run": job.fence,
        "xget.from_page": job.page_no,
    }
    return span("collect", kind=SpanKind.CONSUMER, parent=job.traceparent, attributes=attributes)


def page_span(job: Job) -> Open:
    """The page that comes next; what is published of it goes on from here."""
    return span("collect page", kind=SpanKind.PRODUCER, attributes={"xget.page_no": job.page_no + 1})
