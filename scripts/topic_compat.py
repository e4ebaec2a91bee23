"""Whether today's bodies and those of the last release read one another.

The last release's schemas and examples lie in `proto/topics/released/`, so that the check needs no history of git: it
works in a shallow clone and without tags. `gen_topics.py --release` renews them; it is a step of making a release.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from topic_files import TOPICS, TopicFile, schema

from xget_contracts import events

RELEASED = TOPICS / "released"


def breaks(topic: TopicFile) -> list[str]:
    """What the last release and this one could not read of one another; a topic that is new breaks nothing."""
    before = RELEASED / f"{topic.topic}.schema.json"
    if not before.exists():
        return []
    old, new = json.loads(before.read_bytes())["$defs"], json.loads(schema(topic))["$defs"]
    found = [f"{topic.topic}: {sentence}" for name in old for sentence in _struct(name, old[name], new.get(name))]
    example = (RELEASED / "examples" / f"{topic.topic}.json").read_bytes()
    try:
        msgspec.json.decode(example, type=getattr(events, topic.body))
    except msgspec.DecodeError as error:
        found.append(f"{topic.topic}: {topic.body} no longer reads the released example: {error}")
    return found


def _struct(name: str, old: dict[str, Any], new: dict[str, Any] | None) -> Iterator[str]:
    if new is None:
        return
    for field in sorted(set(new.get("required", [])) - set(old.get("required", []))):
        yield f"{name}.{field} is required now, but older messages lack it: give it a default"
    for field in sorted(set(old.get("required", [])) - set(new.get("properties", {}))):
        yield f"{name}.{field} is gone, but consumers of the last release need it: keep it until they are gone too"
    for field, was in sorted(old.get("properties", {}).items()):
        now = new.get("properties", {}).get(field)
        if now is None:
            continue
        for kind in sorted(_kinds(was) - _kinds(now)):
            yield f"{name}.{field} was {kind}, and is no longer read as that: add a field instead"
        values = [value for value in was.get("enum", []) if "enum" in now and value not in now["enum"]]
        if values:
            yield f"{name}.{field} no longer takes {values}: keep them readable"


def _kinds(field: dict[str, Any]) -> set[str]:
    """The JSON types of a field; `number` reads integers too."""
    parts = field.get("anyOf", [field])
    found = {part.get("$ref") or part.get("type") for part in parts}
    return {str(kind) for kind in found | ({"integer"} if "number" in found else set()) if kind}
