"""`xget events` on the single-node log: lists, replays, and names what is wrong."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from xget_cli.errors import CliError
from xget_cli.main import build
from xget_events.log import Record
from xget_events.sqlite import SqliteEventLog
from xget_events.topics import load_topics
from xget_kernel.messages import Message

TOPIC = "xget.pages"


def xget(*command: str) -> Any:
    return build()(command, exit_on_error=False, print_error=False, result_action="return_value")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    async def fill() -> None:
        log = SqliteEventLog(tmp_path / "events.db")
        await log.create_topics(load_topics())
        headers = {"ce_id": "1", "xget-group": "processing", "xget-reason": "no \x1b[31mparser"}
        await log.publish([Message(TOPIC + ".dlq", f"key-{n}", b"{}", headers) for n in range(3)])
        await log.close()

    asyncio.run(fill())
    return tmp_path


def pages(home: Path) -> list[Record]:
    async def read() -> list[Record]:
        log = SqliteEventLog(home / "events.db")
        async with log.consumer("checkers", [TOPIC]) as consumer:
            records = await consumer.poll(timeout=0.2)
        await log.close()
        return records

    return asyncio.run(read())


def test_dead_letters_are_listed_with_their_reasons(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    xget("events", "dlq", TOPIC, "--home", str(home))
    shown = capsys.readouterr().out
    assert "3 dead letters" in shown
    assert "no [31mparser" in shown
    xget("events", "dlq", TOPIC, "--home", str(home), "--json", "--limit", "1")
    (letter,) = json.loads(capsys.readouterr().out)
    assert (letter["key"], letter["group"], letter["size"]) == ("key-0", "processing", 2)


def test_a_replay_sends_them_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    xget("events", "replay", TOPIC, "--home", str(home), "--dry-run")
    assert "3 would be sent again" in capsys.readouterr().out
    assert pages(home) == []
    xget("events", "replay", TOPIC, "--home", str(home), "--group", "storage")
    assert "0 sent again, 3 of other groups kept" in capsys.readouterr().out
    xget("events", "replay", TOPIC + ".dlq", "--home", str(home), "--json")
    assert json.loads(capsys.readouterr().out) == {"sent": 3, "kept": 0, "dry_run": False}
    assert [record.headers for record in pages(home)] == [{"ce_id": "1", "xget-replayed": "1"}] * 3


def test_what_is_wrong_is_said_in_one_sentence(home: Path, tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"no topic xget\.pagse: it is one of .*xget\.pages, "):
        xget("events", "dlq", "xget.pagse", "--home", str(home))
    with pytest.raises(CliError, match="no event log in"):
        xget("events", "dlq", TOPIC, "--home", str(tmp_path / "elsewhere"))
    with pytest.raises(CliError, match="at least 1"):
        xget("events", "replay", TOPIC, "--home", str(home), "--limit", "0")


def test_kafka_settings_that_cannot_work_are_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    with pytest.raises(CliError, match="KAFKA_SASL_USERNAME"):
        xget("events", "dlq", TOPIC, "--home", str(tmp_path))
