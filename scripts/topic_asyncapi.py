"""proto/topics as one AsyncAPI 3.0 document."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import msgspec
from topic_files import ROOT, TOPICS, TopicFile

DOCUMENT = ROOT / "proto" / "asyncapi.yaml"
HEAD = "# Generated from proto/topics by scripts/gen_topics.py; do not edit.\n"
TEXT = {"type": "string"}
HEADERS = {
    "ce_specversion": TEXT | {"const": "1.0"},
    "ce_id": TEXT | {"description": "Id of the message; the same in a redelivery."},
    "ce_type": TEXT | {"description": "`xget.` and the name of the body."},
    "ce_source": TEXT | {"description": "`/xget/` and the sending service."},
    "ce_time": TEXT | {"format": "date-time"},
    "traceparent": TEXT | {"description": "W3C trace context of the sender, when it is traced."},
    "xget-version": TEXT | {"description": "Version of the body, 1 when absent. A reader puts later ones aside."},
    "xget-replayed": TEXT | {"description": "How often the message was sent again from the dead letters."},
}
LETTER_HEADERS = {
    "xget-reason": TEXT | {"description": "Why the message was given up."},
    "xget-group": TEXT | {"description": "The consumer group that gave it up."},
    "xget-topic": TEXT,
    "xget-partition": TEXT,
    "xget-offset": TEXT,
}


def document(topics: list[TopicFile]) -> str:
    """The document as YAML. Schemas and examples stay in their files, which it names."""
    version = tomllib.loads((ROOT / "libs" / "contracts" / "pyproject.toml").read_text())["project"]["version"]
    whole: dict[str, Any] = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "XGet events",
            "version": version,
            "description": "At least once, in order per key. Consumers are idempotent and ignore fields they do not"
            " know. What cannot be processed goes to the topic's dead letters.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{servers}",
                "protocol": "kafka",
                "variables": {"servers": {"description": "KAFKA_BOOTSTRAP_SERVERS", "default": "localhost:9092"}},
            }
        },
        "channels": {},
        "operations": {},
        "components": {"messages": {}, "messageTraits": {"cloudEvent": {"headers": _headers(HEADERS)}}},
    }
    for topic in topics:
        name = topic.topic.replace(".", "_")
        whole["channels"] |= {name: _channel(topic), f"{name}_dlq": _letters(topic)}
        whole["operations"] |= _operations(topic, name)
        whole["components"]["messages"] |= _messages(topic)
    return HEAD + msgspec.yaml.encode(whole).decode()


def _headers(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _channel(topic: TopicFile) -> dict[str, Any]:
    return {
        "address": topic.topic,
        "description": topic.summary,
        "messages": {topic.body: {"$ref": f"#/components/messages/{topic.body}"}},
        "bindings": {"kafka": _binding(topic.partitions, topic.retention_hours, topic.max_message_mb)},
        "x-owner": topic.owner,
        "x-compatibility": topic.compatibility,
    }


def _letters(topic: TopicFile) -> dict[str, Any]:
    hours = max(topic.retention_hours, 720.0)
    return {
        "address": f"{topic.topic}.dlq",
        "description": f"Messages of {topic.topic} that a consumer gave up, with the reason in `xget-reason`.",
        "messages": {f"{topic.body}Letter": {"$ref": f"#/components/messages/{topic.body}Letter"}},
        "bindings": {"kafka": _binding(1, hours, topic.max_message_mb)},
        "x-owner": topic.owner,
    }


def _binding(partitions: int, retention_hours: float, max_message_mb: int) -> dict[str, Any]:
    settings = {"retention.ms": int(retention_hours * 3_600_000), "max.message.bytes": (max_message_mb + 1) << 20}
    return {"partitions": partitions, "topicConfiguration": settings, "bindingVersion": "0.5.0"}


def _operations(topic: TopicFile, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for action, services in (("send", topic.producers), ("receive", topic.consumers)):
        for service in services:
            found[f"{service}_{action}s_{name}"] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
                "summary": f"{service} {action}s {topic.body}",
            }
    return found


def _messages(topic: TopicFile) -> dict[str, Any]:
    payload = {
        "schemaFormat": "application/schema+json;version=draft-2020-12",
        "schema": {"$ref": f"./topics/{topic.topic}.schema.json"},
    }
    message = {
        "name": f"xget.{topic.body}",
        "summary": topic.summary,
        "contentType": "application/json",
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "payload": payload,
        "bindings": {"kafka": {"key": TEXT | {"description": f"`{topic.key}` of the body"}, "bindingVersion": "0.5.0"}},
        "examples": [{"name": topic.topic, "payload": _example(topic)}],
    }
    letter = {
        "name": f"xget.{topic.body}",
        "summary": f"A {topic.body} that was given up. Its body may not be one at all.",
        "headers": _headers(LETTER_HEADERS),
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "payload": True,
    }
    return {topic.body: message, f"{topic.body}Letter": letter}


def _example(topic: TopicFile) -> Any:
    return json.loads((TOPICS / "examples" / f"{topic.topic}.json").read_text())
