"""The program in docs/howto/consume-events.md does what it says."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path

import msgspec
import pytest

from xget_contracts.events import PageStored
from xget_events import codec
from xget_events.log import TopicSpec
from xget_kernel.clock import SystemClock
from xget_kernel.messages import Message
from xget_testing.contracts.event_log.kafka import KafkaHouse

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.connected("kafka")
@pytest.mark.slow
async def test_the_example_prints_what_is_stored(kafka_house: KafkaHouse, tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/howto/consume-events.md").read_text(), re.DOTALL)
    (tmp_path / "example.py").write_text(program)
    log = await kafka_house.open()
    await log.create_topics([TopicSpec("xget.stored", 3)])
    body = msgspec.json.decode((ROOT / "proto/topics/examples/xget.stored.json").read_bytes(), type=PageStored)
    now = SystemClock().now()
    later = Message("xget.stored", "k", json.dumps({"number": 1}).encode(), {codec.VERSION_HEADER: "2"})
    await log.publish([codec.message("xget.stored", body.execution_id, body, source="storage", now=now), later])
    selected = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_house.settings.kafka_bootstrap_servers or "",
        "KAFKA_TOPIC_STORED": kafka_house.prefix + "xget.stored",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(tmp_path / "example.py"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | selected,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(120):
            lines = {(await process.stdout.readline()).decode().strip() for _ in range(2)}
            await asyncio.sleep(0.5)
    finally:
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()
    assert lines == {
        f"{body.execution_id} page 1: 1 new, 0 updated",
        "put aside: version 2 is newer than this program",
    }
    assert (process.returncode, b"Traceback" in said) == (0, False), said.decode()
