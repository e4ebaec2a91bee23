"""Kafka 4 as one KRaft node (broker and controller), through Maven."""

from __future__ import annotations

import base64
import struct
import uuid
from pathlib import Path

from engines import install, java, versions
from engines.engine import LOOPBACK, Engine, ask
from engines.state import write_private

SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}/logs
auto.create.topics.enable=false
num.partitions=3
message.max.bytes=18874368
replica.fetch.max.bytes=18874368
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=3
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=3
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
log.cleaner.dedupe.buffer.size=16777216
"""
POM = """\
<project>
<modelVersion>4.0.0</modelVersion><groupId>xget</groupId><artifactId>kafka-server</artifactId><version>1</version>
<dependencies>{}</dependencies>
</project>
"""
DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


class Kafka(Engine):
    """Topics are made by those who own them: none appears by a write."""

    name = "kafka"
    ports_needed = 2
    stop_seconds = 30
    ready_seconds = 90

    def install(self) -> None:
        self._jars()
        java.home_for_kafka()

    def _jars(self) -> Path:
        pom = POM.format("".join(DEPENDENCY.format(*artifact.split(":")) for artifact in versions.KAFKA_ARTIFACTS))
        goal = ["-C", f"{versions.MAVEN_PLUGIN}:copy-dependencies", "-DincludeScope=runtime"]
        return install.from_maven(f"kafka-{versions.KAFKA}", goal, "kafka.sha256", pom)

    def _java(self, *arguments: str) -> list[str]:
        quiet = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
        return [str(java.home_for_kafka() / "bin" / "java"), "-Xmx512m", *quiet, "-cp", f"{self._jars()}/*", *arguments]

    def prepare(self) -> None:
        self.data.mkdir(exist_ok=True)
        settings = self.data / "server.properties"
        write_private(settings, self.settings())
        if not (self.data / "logs" / "meta.properties").exists():
            cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
            # One in 64 begins with a dash: on its own that would be taken for an option.
            format_it = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(settings))
            tool = self._java(*format_it, *self.format_options())
            self.step(tool, failure="Kafka could not format its storage")

    def settings(self) -> str:
        """The server's properties."""
        broker, controller = self.ports
        return SETTINGS.format(broker=broker, controller=controller, data=self.data)

    def format_options(self) -> list[str]:
        """What more its storage is formatted with."""
        return []

    def command(self) -> list[str]:
        return self._java("kafka.Kafka", str(self.data / "server.properties"))

    def ready(self) -> bool:
        return ask(self.port, api_versions())[4:8] == struct.pack(">i", 7)

    def url(self) -> str:
        return f"{LOOPBACK}:{self.port}"


def api_versions() -> bytes:
    """ApiVersions request, version 0, correlation id 7."""
    body = struct.pack(">hhih", 18, 0, 7, 4) + b"xget"
    return struct.pack(">i", len(body)) + body
