"""What every HTTP app measures."""

from xget_telemetry.metrics import Spec

HTTP_REQUESTS = Spec(
    "xget_http_requests_total",
    "Requests answered, by route template and status.",
    ("service", "method", "route", "status"),
)
HTTP_SECONDS = Spec(
    "xget_http_request_seconds", "Seconds from request to end of answer.", ("service", "method", "route")
)
