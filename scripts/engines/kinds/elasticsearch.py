"""Elasticsearch 9, Elastic's own server with few modules, through Maven."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
from pathlib import Path

from engines import install, java, versions
from engines.engine import LOOPBACK, Engine
from engines.places import cache

SETTINGS = """\
cluster.name: xget
node.name: xget
discovery.type: single-node
network.host: 127.0.0.1
http.port: {http}
transport.port: {transport}
path.data: {data}/indices
path.logs: {data}/logs
xpack.security.enabled: false
action.auto_create_index: false
cluster.routing.allocation.disk.threshold_enabled: false
"""


class Elasticsearch(Engine):
    """Indices are made by those who own them: none appears by a write."""

    name = "elasticsearch"
    ports_needed = 2
    refuses_root = True
    stop_seconds = 40
    ready_seconds = 180

    def install(self) -> None:
        self._tree()
        java.home_for_elasticsearch()

    def _tree(self) -> Path:
        goal = [f"{versions.MAVEN_PLUGIN}:copy", f"-Dartifact={versions.ELASTICSEARCH_ARTIFACT}"]
        name = f"elasticsearch-{versions.ELASTICSEARCH}"
        target = cache() / "installed" / name
        if not target.is_dir():
            folder = install.from_maven(f"{name}-zip", goal, "elasticsearch.sha256")
            install.unpacked(name, folder / f"{name}.zip")
            shutil.rmtree(folder)
        return target / name

    def prepare(self) -> None:
        for part in ("config", "tmp", "logs", "indices"):
            (self.data / part).mkdir(parents=True, exist_ok=True)
        config, shipped = self.data / "config", self._tree() / "config"
        for path in shipped.iterdir():
            if path.is_file():
                shutil.copyfile(path, config / path.name)
        options = (shipped / "jvm.options").read_text("utf-8").splitlines()
        kept = [line for line in options if not line.startswith(("-Xlog:gc", "-XX:+HeapDump"))]
        (config / "jvm.options").write_text("\n".join(kept) + "\n", "utf-8")
        settings = SETTINGS.format(http=self.ports[0], transport=self.ports[1], data=self.data)
        (config / "elasticsearch.yml").write_text(settings, "utf-8")
        self.give_away(self.data)

    def command(self) -> list[str]:
        return [str(self._tree() / "bin" / "elasticsearch")]

    def environment(self) -> dict[str, str]:
        return {
            "ES_JAVA_HOME": str(java.home_for_elasticsearch()),
            "ES_JAVA_OPTS": "-Xms512m -Xmx512m",
            "ES_PATH_CONF": str(self.data / "config"),
            "ES_TMPDIR": str(self.data / "tmp"),
            "HOME": str(self.data),
        }

    def ready(self) -> bool:
        with contextlib.closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)) as line:
            line.request("GET", "/_cluster/health")
            told = json.load(line.getresponse())
        return told.get("status") in {"yellow", "green"}

    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"
