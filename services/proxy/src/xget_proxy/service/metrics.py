"""What the pool counts."""

from __future__ import annotations

from xget_telemetry.metrics import Spec

REPORTS = Spec("xget_proxy_reports_total", "Requests through proxies, by whether they went well.", ("ok",))
PROXIES = Spec("xget_proxies", "Proxies, by status.", ("status",))
