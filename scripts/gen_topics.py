"""Generate what comes from proto/topics/*.yaml; `--check` compares instead and exits 1 on drift.

For each topic: `<topic>.schema.json` beside it from its body struct in xget_contracts.events, and a line in the package
data of xget_contracts (topics.json) that `xget_events.topics.load_topics` reads. Examples must decode as the body.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Literal

import msgspec

from xget_contracts import events

ROOT = Path(__file__).resolve().parent.parent
TOPICS = ROOT / "proto" / "topics"
DATA = ROOT / "libs" / "contracts" / "src" / "xget_contracts" / "topics.json"


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


def generate(topics: list[TopicFile]) -> dict[Path, str]:
    """Text of every generated file."""
    made = {TOPICS / f"{topic.topic}.schema.json": schema(topic) for topic in topics}
    data = [
        {
            "name": t.topic,
            "partitions": t.partitions,
            "retention_hours": t.retention_hours,
            "max_message_mb": t.max_message_mb,
        }
        for t in topics
    ]
    made[DATA] = json.dumps(data, indent=2) + "\n"
    return made


def stale(made: dict[Path, str]) -> list[Path]:
    """Files that are not as generated, and schemas without a topic."""
    changed = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    return changed + [path for path in TOPICS.glob("*.schema.json") if path not in made]


def git(*arguments: str) -> str:
    """What git says; empty when the revision or file is not there."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True).stdout


def breaks(topic: TopicFile, against: str) -> list[str]:
    """How the body cannot read what a git revision wrote into the topic; a revision without it has nothing to read."""
    before = git("show", f"{against}:proto/topics/{topic.topic}.schema.json")
    example = git("show", f"{against}:proto/topics/examples/{topic.topic}.json")
    if not before or not example:
        return []
    found = []
    new = json.loads(schema(topic))["$defs"]
    for name, old in json.loads(before)["$defs"].items():
        for field in sorted(set(new.get(name, {}).get("required", [])) - set(old.get("required", []))):
            found.append(
                f"{topic.topic}: {name}.{field} is required now, but older messages lack it: give it a default"
            )
    try:
        msgspec.json.decode(example, type=getattr(events, topic.body))
    except msgspec.DecodeError as error:
        found.append(f"{topic.topic}: {topic.body} no longer reads the example of {against}: {error}")
    return found


def main() -> int:
    """Write the files, or with --check name what has drifted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is not current")
    parser.add_argument("--against", default="main", help="git revision whose messages must stay readable")
    options = parser.parse_args()
    check = options.check
    topics = load()
    wrong = [sentence for topic in topics for sentence in faults(topic)]
    wrong = wrong or [sentence for topic in topics for sentence in breaks(topic, options.against)]
    if wrong:
        print("\n".join(wrong))
        return 1
    made = generate(topics)
    drifted = stale(made)
    if check:
        for path in drifted:
            print(f"stale: {path.relative_to(ROOT)}")
        if drifted:
            print("Topic contracts have drifted: run `python scripts/gen_topics.py` and commit the result.")
        return 1 if drifted else 0
    for path in drifted:
        path.unlink() if path not in made else path.write_text(made[path])
    print(f"{len(made)} generated files are current ({len(drifted)} changed)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
