"""Generate what comes from proto/topics/*.yaml; `--check` compares instead and exits 1 on drift.

For each topic: `<topic>.schema.json` beside it from its body struct in xget_contracts.events, and a line in the package
data of xget_contracts (topics.json) that `xget_events.topics.load_topics` reads; for all: `proto/asyncapi.yaml`.
Examples must decode as the body, and the bodies of the last release (`proto/topics/released/`) must stay readable.
`--release` takes today's as those of the last release.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import topic_asyncapi
from topic_compat import RELEASED, breaks
from topic_files import ROOT, TOPICS, TopicFile, faults, load, schema

DATA = ROOT / "libs" / "contracts" / "src" / "xget_contracts" / "topics.json"


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
    made[topic_asyncapi.DOCUMENT] = topic_asyncapi.document(topics)
    return made


def stale(made: dict[Path, str]) -> list[Path]:
    """Files that are not as generated, and schemas without a topic."""
    changed = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    return changed + [path for path in TOPICS.glob("*.schema.json") if path not in made]


def release() -> None:
    """Keep today's schemas and examples as those of the last release."""
    shutil.rmtree(RELEASED, ignore_errors=True)
    (RELEASED / "examples").mkdir(parents=True)
    for path in sorted(TOPICS.glob("*.schema.json")):
        shutil.copy(path, RELEASED / path.name)
    for path in sorted((TOPICS / "examples").glob("*.json")):
        shutil.copy(path, RELEASED / "examples" / path.name)


def main() -> int:
    """Write the files, or with --check name what has drifted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is not current")
    parser.add_argument("--release", action="store_true", help="then take today's bodies as the last release's")
    options = parser.parse_args()
    topics = load()
    wrong = [sentence for topic in topics for sentence in faults(topic)]
    wrong = wrong or [sentence for topic in topics for sentence in breaks(topic)]
    if wrong:
        print("\n".join(wrong))
        return 1
    made = generate(topics)
    drifted = stale(made)
    if options.check:
        for path in drifted:
            print(f"stale: {path.relative_to(ROOT)}")
        if drifted:
            print("Topic contracts have drifted: run `python scripts/gen_topics.py` and commit the result.")
        return 1 if drifted else 0
    for path in drifted:
        path.unlink() if path not in made else path.write_text(made[path])
    if options.release:
        release()
    print(f"{len(made)} generated files are current ({len(drifted)} changed)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
