"""Kafka."""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from xget_events.kafka.access import Access
from xget_kernel.engines import EngineSettings
from xget_standalone.probes.answers import Answer, Silent


async def probe(settings: EngineSettings, seconds: float) -> Answer:
    """Ask for the brokers. Raises Silent."""
    access = Access(settings)
    client = AIOKafkaAdminClient(**access.options(request_seconds=seconds))
    try:
        async with asyncio.timeout(seconds * 2):
            await client.start()
            found = await client.describe_cluster()
    except (KafkaError, OSError, TimeoutError, ValueError) as error:
        # The client tells no wrong login from a server that is away; this looks once more.
        raise Silent(str(await access.refusal())) from error
    finally:
        await client.close()
    return Answer(facts={"brokers": len(found["brokers"])})


def connection(settings: EngineSettings, seconds: float) -> dict[str, object]:
    """How a client of aiokafka connects. Raises StartupError for settings that cannot work."""
    return Access(settings).options(request_seconds=seconds)
