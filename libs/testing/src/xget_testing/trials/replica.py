"""One more worker beside those of a cluster, which nobody starts again when it dies."""

from __future__ import annotations

from xget_standalone.services import OFFSETS, WORKER_OFFSET
from xget_testing.node import XGET, Cluster, Process, forked


class Replica:
    """The `number`-th worker of a service (the cluster has those before it), killed and stopped by the test."""

    def __init__(self, cluster: Cluster, service: str, number: int) -> None:
        self.name = f"{service}-worker-{number}"
        self.port = cluster.base + OFFSETS[service] + WORKER_OFFSET + 10 * (number - 1)
        urls = {f"{one.upper()}_SERVICE_URL": f"http://127.0.0.1:{cluster.base + at}" for one, at in OFFSETS.items()}
        own = {"XGET_HOME": str(cluster.home), "XGET_REPLICAS": str(number), "XGET_MEMBER": self.name}
        command = [XGET, "worker", service, "--port", str(self.port)]
        log = cluster.home / "logs" / f"{self.name}.log"
        env = {**cluster.env, **urls, **own}
        self.process = Process(command, cwd=cluster.folder, env=env, log=log, start=forked)
