"""What a process of a cluster has done since it was started, so that it dies at work and not in its sleep."""

from __future__ import annotations

import re

import httpx2 as httpx

from xget_testing.node import Cluster

COUNTERS = {
    "scraper-worker": "xget_scraper_pages_total",
    "processing-worker": "xget_processing_pages_total",
    "storage-worker": "xget_storage_pages_total",
    "account": "xget_account_acquires_total",
    "proxy": "xget_proxy_reports_total",
    "scraper": "xget_http_requests_total",
}
PATHS = {"gateway": "/api/v1/tasks", "storage": "/api/v1/data?size=1"}
"""Of what does not count: whether it answers through the gateway."""


def done_by(cluster: Cluster, name: str, port: int = 0) -> float:
    """Pages, leases, reports or requests since its start; 0 when it does not answer. `port` of an extra one."""
    kind = re.sub(r"-\d+$", "", name)
    try:
        if kind in PATHS:
            return float(cluster.http.get(PATHS[kind]).is_success)
        port = port or cluster.state()[name]["port"]
        text = cluster.http.get(f"http://127.0.0.1:{port}/metrics").text
    except httpx.HTTPError:
        return 0.0
    samples = re.findall(rf"^{COUNTERS[kind]}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
    return sum(float(sample) for sample in samples)
