"""Kafka that asks for a login, over TLS: settings that fit are enough, and what is wrong is said in one sentence."""

from __future__ import annotations

import asyncio
import gc
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from xget_events.kafka import KafkaEventLog
from xget_events.log import TopicSpec
from xget_kernel.engines import EngineSettings
from xget_kernel.errors import StartupError, Unavailable
from xget_kernel.secrets import Secret
from xget_testing.contracts.event_log import drain, messages
from xget_testing.contracts.event_log.kafka import delete
from xget_testing.engines import OwnEngines

pytestmark = [pytest.mark.slow, pytest.mark.connected("kafka")]
TOPIC = TopicSpec("xget.pages", 2)
TOPICS, GROUPS, PREFIXED, ALLOW = 2, 3, 4, 3
READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS = 3, 4, 8, 10


class Broker:
    """A guarded broker, as `kafka-guarded` of scripts/engines gives its address."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.password = parts.password or ""
        self.tls = f"127.0.0.1:{parts.port}"
        self.plaintext = f"127.0.0.1:{parse_qs(parts.query)['plaintext'][0]}"
        self.ca = parse_qs(parts.query)["ca"][0]

    def settings(self, home: Path, **more: Any) -> EngineSettings:
        """Of the user who may do everything, over TLS, under a prefix of its own."""
        given = {
            "kafka_bootstrap_servers": self.tls,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_mechanism": "SCRAM-SHA-512",
            "kafka_sasl_username": "xget",
            "kafka_sasl_password": Secret(self.password),
            "kafka_prefix": f"t{secrets.token_hex(4)}.",
        }
        return EngineSettings(home=home, **(given | more))


@pytest.fixture(scope="module")
def started() -> Iterator[Broker]:
    with OwnEngines("guarded") as engines:
        yield Broker(engines.start("kafka-guarded")["kafka-guarded"])


@pytest.fixture
def broker(started: Broker, monkeypatch: pytest.MonkeyPatch) -> Broker:
    monkeypatch.setenv("SSL_CERT_FILE", started.ca)
    monkeypatch.setattr("xget_events.kafka.access.REASON_SECONDS", 30.0)
    return started


@asynccontextmanager
async def log_of(settings: EngineSettings) -> AsyncIterator[KafkaEventLog]:
    log = KafkaEventLog(settings)
    try:
        yield log
    finally:
        await log.close()


@pytest.mark.parametrize(
    ("protocol", "mechanism"), [("SASL_SSL", "SCRAM-SHA-512"), ("SASL_SSL", "PLAIN"), ("SASL_PLAINTEXT", "PLAIN")]
)
async def test_who_has_the_login_writes_and_reads(
    broker: Broker, tmp_path: Path, protocol: str, mechanism: str
) -> None:
    servers = broker.tls if protocol == "SASL_SSL" else broker.plaintext
    given = {"kafka_security_protocol": protocol, "kafka_sasl_mechanism": mechanism}
    async with log_of(broker.settings(tmp_path, kafka_bootstrap_servers=servers, **given)) as log:
        await log.create_topics([TOPIC])
        await log.publish(messages(TOPIC.name, [f"k{n}" for n in range(20)]))
        async with log.consumer("g", [TOPIC.name]) as consumer:
            assert len(await drain(consumer, 20)) == 20
        assert await log.lag("g") == {TOPIC.name: 0}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "password": ({"kafka_sasl_password": Secret("hidden-word")}, "refuses the login"),
    "user": ({"kafka_sasl_username": "nobody"}, "refuses the login"),
    "mechanism": ({"kafka_sasl_mechanism": "SCRAM-SHA-256"}, "KAFKA_SASL_MECHANISM"),
    "no login": ({"kafka_security_protocol": "SSL"}, "KAFKA_SECURITY_PROTOCOL (SSL)"),
    "no TLS": ({"kafka_security_protocol": "SASL_PLAINTEXT"}, "KAFKA_SECURITY_PROTOCOL (SASL_PLAINTEXT)"),
    "neither": ({"kafka_security_protocol": "PLAINTEXT"}, "KAFKA_SECURITY_PROTOCOL (PLAINTEXT)"),
}


# aiokafka leaves the sockets of connects that it breaks off to the collector: let that happen here.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
async def test_a_login_that_is_wrong_is_said_at_the_start(broker: Broker, tmp_path: Path) -> None:
    found = await asyncio.gather(*(refusal(broker.settings(tmp_path, **given)) for given, _ in WRONG.values()))
    for (_, says), said in zip(WRONG.values(), found, strict=True):
        assert says in said
        assert broker.tls in said
        assert broker.password not in said
        assert "hidden-word" not in said
    gc.collect()


async def test_a_certificate_that_nobody_vouches_for_is_said_at_the_start(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    said = await refusal(broker.settings(tmp_path))
    assert "SSL_CERT_FILE" in said
    assert "certificate" in said


async def test_who_may_not_make_topics_is_told_which_right_is_missing(broker: Broker, tmp_path: Path) -> None:
    said = await refusal(broker.settings(tmp_path, kafka_sasl_username="limited"))
    assert "grant it Create" in said
    assert TOPIC.name in said


async def test_a_deleted_topic_that_may_not_be_made_again_is_told_until_somebody_makes_it(
    broker: Broker, tmp_path: Path
) -> None:
    settings = broker.settings(tmp_path)
    less = settings.model_copy(update={"kafka_sasl_username": "limited"})
    async with log_of(settings) as log, log_of(less) as limited, admin_of(broker) as admin:
        await log.create_topics([TOPIC])
        for kind, right in [
            (TOPICS, READ),
            (TOPICS, WRITE),
            (TOPICS, DESCRIBE),
            (TOPICS, DESCRIBE_CONFIGS),
            (GROUPS, READ),
        ]:
            acl = CreateAclsRequest(kind, settings.kafka_prefix, PREFIXED, "User:limited", "*", right, ALLOW)
            await admin._send_request(acl)  # aiokafka has no public call for it
        await limited.create_topics([TOPIC])
        await limited.publish(messages(TOPIC.name, ["a"]))
        assert limited.trouble is None
        await delete(admin, settings.kafka_prefix + TOPIC.name)
        with pytest.raises(Unavailable, match="may not make it: grant it Create"):
            await limited.publish(messages(TOPIC.name, ["b"]))
        assert "grant it Create" in (limited.trouble or "")
        await log.create_topics([TOPIC])
        await limited.publish(messages(TOPIC.name, ["b"]))
        async with asyncio.timeout(60):
            while limited.trouble:  # noqa: ASYNC110 - it looks by itself
                await asyncio.sleep(0.1)
        async with limited.consumer("g", [TOPIC.name]) as consumer:
            assert [record.key for record in await drain(consumer, 1)] == ["b"]


async def refusal(settings: EngineSettings) -> str:
    began = time.monotonic()
    async with log_of(settings) as log:
        with pytest.raises(StartupError) as refused:
            await log.create_topics([TOPIC])
    assert time.monotonic() - began < 90
    assert "\n" not in str(refused.value)
    return str(refused.value)


@asynccontextmanager
async def admin_of(broker: Broker) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=broker.tls,
        security_protocol="SASL_SSL",
        ssl_context=ssl.create_default_context(cafile=broker.ca),
        sasl_mechanism="PLAIN",
        sasl_plain_username="xget",
        sasl_plain_password=broker.password,
    )
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
