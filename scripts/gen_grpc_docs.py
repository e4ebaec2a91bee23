"""Write docs/reference/grpc-pools.md from the comments of the pools' protos; `--check` compares, exits 1 on drift."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "grpc-pools.md"
PROTOS = tuple(ROOT / "proto" / "xget" / name / "v1" / f"{name}_pool.proto" for name in ("account", "proxy"))
_RPC = re.compile(r"rpc (\w+)\((\w+)\) returns \((\w+)\)")
_FIELD = re.compile(r"((?:repeated )?[\w.]+|map<[\w, ]+>) (\w+) = \d+;")
_HEAD = """# AccountPool and ProxyPool: every call and field

`make generate` writes this page from `proto/`. How to connect, errors and an example: [grpc.md](grpc.md).
"""


@dataclass
class Part:
    """A service, rpc or message with its comment; `fields` are (type, name, comment)."""

    name: str
    said: str
    takes: str = ""
    gives: str = ""
    fields: list[tuple[str, str, str]] = field(default_factory=list)


def main() -> int:
    """Write the page, or compare it."""
    text = page()
    if "--check" in sys.argv:
        current = PAGE.is_file() and PAGE.read_text() == text
        print("docs/reference/grpc-pools.md is current" if current else f"{PAGE.name} is old: run `make generate`")
        return 0 if current else 1
    PAGE.write_text(text)
    return 0


def page() -> str:
    """All of the page."""
    return "\n".join([_HEAD, *(line for proto in PROTOS for line in shown(read(proto)))]).rstrip() + "\n"


def read(proto: Path) -> list[Part]:
    """The parts of a proto in their order. Raises ValueError for a field or rpc that says nothing of itself."""
    parts: list[Part] = []
    said: list[str] = []
    for line in (raw.strip() for raw in proto.read_text().splitlines()):
        if line.startswith("//"):
            said.append(line[2:].strip())
            continue
        comment, said = " ".join(said), []
        if line.startswith(("service ", "message ")):
            parts.append(Part(line.split()[1], comment))
        elif rpc := _RPC.match(line):
            parts.append(Part(rpc[1], _told(comment, rpc[1]), rpc[2], rpc[3]))
        elif found := _FIELD.match(line):
            parts[-1].fields.append((found[1], found[2], _told(comment, f"{parts[-1].name}.{found[2]}")))
    return parts


def shown(parts: list[Part]) -> Iterator[str]:
    """A service: its calls, each with what it takes and gives, then the messages within."""
    service, messages = parts[0], {part.name: part for part in parts[1:] if not part.takes}
    yield from (f"## {service.name}", "", service.said, "")
    for rpc in (part for part in parts if part.takes):
        yield from (f"### {service.name}.{rpc.name}", "", rpc.said, "")
        for name in (rpc.takes, rpc.gives):
            yield from table(messages[name])
    of_calls = {name for part in parts for name in (part.takes, part.gives)}
    for message in (messages[name] for name in messages if name not in of_calls):
        yield from (f"### {message.name}", "", message.said, "")
        yield from table(message)


def table(message: Part) -> Iterator[str]:
    """The fields of a message."""
    if not message.fields:
        yield from (f"`{message.name}` has no fields.", "")
        return
    yield from (f"| `{message.name}` | type | |", "|---|---|---|")
    for kind, name, said in message.fields:
        yield f"| `{name}` | {kind.removeprefix('google.protobuf.')} | {said} |"
    yield ""


def _told(comment: str, name: str) -> str:
    if not comment:
        raise ValueError(f"{name} has no comment in its proto: say what it is, with its unit.")
    return comment


if __name__ == "__main__":
    sys.exit(main())
