"""Topic files, their schemas, examples and package data agree with the structs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from xget_contracts import events

ROOT = Path(__file__).resolve().parents[3]
TOPICS = ROOT / "proto" / "topics"
NAMES = [
    events.ACCOUNT_EVENTS,
    events.FORGOTTEN,
    events.PAGES,
    events.PARSER_EVENTS,
    events.PROXY_EVENTS,
    events.RESULTS,
    events.STORED,
    events.TASKS,
]


def topic(name: str) -> dict[str, Any]:
    """A topic file."""
    return msgspec.yaml.decode((TOPICS / f"{name}.yaml").read_bytes(), type=dict[str, Any])


def example(name: str) -> bytes:
    """A topic's example."""
    return (TOPICS / "examples" / f"{name}.json").read_bytes()


def test_generated_files_are_current() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "gen_topics.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_topic_of_the_code_has_a_file_and_the_reverse() -> None:
    assert sorted(path.stem for path in TOPICS.glob("*.yaml")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_members_named_in_a_topic_file_exist(name: str) -> None:
    declared = topic(name)
    named = {declared["owner"], *declared["producers"], *declared["consumers"]}
    assert named <= {path.name for path in (ROOT / "services").iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_decodes_and_encodes_to_itself(name: str) -> None:
    body = msgspec.json.decode(example(name), type=getattr(events, topic(name)["body"]))
    assert json.loads(msgspec.json.encode(body)) == json.loads(example(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_body_with_a_field_of_a_later_release_still_decodes(name: str) -> None:
    later = json.loads(example(name)) | {"of_a_later_release": 1}
    assert msgspec.json.decode(json.dumps(later), type=getattr(events, topic(name)["body"]))


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_requires_the_key_and_describes_every_field_of_the_example(name: str) -> None:
    schema = json.loads((TOPICS / f"{name}.schema.json").read_text())
    definition = schema["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    assert topic(name)["key"] in definition["required"]
    assert json.loads(example(name)).keys() <= definition["properties"].keys()


def test_the_body_of_an_example_page_is_zstd_of_an_answer() -> None:
    page = msgspec.json.decode(example(events.PAGES), type=events.PageCollected)
    assert "data" in json.loads(zstandard.ZstdDecompressor().decompress(page.body_zstd))
