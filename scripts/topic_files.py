"""The files of proto/topics: what each says, and what can be wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import msgspec

from xget_contracts import events

ROOT = Path(__file__).resolve().parent.parent
TOPICS = ROOT / "proto" / "topics"


class TopicFile(msgspec.Struct, forbid_unknown_fields=True):
    """A file of proto/topics."""

    topic: str
    summary: str
    owner: str
    producers: list[str]
    consumers: list[str]
    key: str
    """Field of the body that is the message key: order holds per value of it."""
    partitions: int
    retention_hours: float
    max_message_mb: int
    compatibility: Literal["backward"]
    """backward: a new reader understands every message that is still in the topic."""
    body: str
    """Name of a struct in xget_contracts.events."""


def load() -> list[TopicFile]:
    """All topic files by name."""
    return [msgspec.yaml.decode(path.read_bytes(), type=TopicFile) for path in sorted(TOPICS.glob("*.yaml"))]


def faults(topic: TopicFile) -> list[str]:
    """What is wrong with a topic file or its example, as sentences."""
    body = getattr(events, topic.body, None)
    if body is None:
        return [f"{topic.topic}: xget_contracts.events has no struct {topic.body}"]
    found = []
    if not (TOPICS / f"{topic.topic}.yaml").exists():
        found.append(f"{topic.topic}: its file must be named {topic.topic}.yaml")
    if topic.owner not in topic.producers:
        found.append(f"{topic.topic}: the owner {topic.owner} must be among the producers")
    if topic.key not in body.__struct_fields__:
        found.append(f"{topic.topic}: the key {topic.key} is no field of {topic.body}")
    return found + example_faults(topic, body)


def example_faults(topic: TopicFile, body: type[msgspec.Struct]) -> list[str]:
    """Whether the example exists and holds exactly what its struct knows."""
    path = TOPICS / "examples" / f"{topic.topic}.json"
    if not path.exists():
        return [f"{topic.topic}: examples/{path.name} is missing"]
    try:
        example = msgspec.json.decode(path.read_bytes(), type=body)
    except msgspec.DecodeError as error:
        return [f"{topic.topic}: examples/{path.name} is no {topic.body}: {error}"]
    if msgspec.to_builtins(example) != json.loads(path.read_text()):
        return [f"{topic.topic}: examples/{path.name} has fields or spellings that {topic.body} does not keep"]
    return []


def schema(topic: TopicFile) -> str:
    """JSON Schema of a topic's body."""
    found = msgspec.json.schema(getattr(events, topic.body))
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:xget:topic:{topic.topic}"}
    return json.dumps(head | found, indent=2, ensure_ascii=False) + "\n"
