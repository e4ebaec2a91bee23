"""The AsyncAPI document holds together, examples are what their schemas say, and breaking changes are found."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[3]
PROTO = ROOT / "proto"
NAMES = sorted(path.stem for path in (PROTO / "topics").glob("*.yaml"))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return msgspec.yaml.decode((PROTO / "asyncapi.yaml").read_bytes(), type=dict[str, Any])


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from references(part)


def test_every_reference_of_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert found
    for reference in found:
        if reference.startswith("#/"):
            node: Any = document
            for step in reference[2:].split("/"):
                node = node[step]
        else:
            assert (PROTO / reference).exists()


def test_every_topic_has_its_channel_with_dead_letters_and_who_sends_and_reads_it(document: dict[str, Any]) -> None:
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {*NAMES, *(f"{name}.dlq" for name in NAMES)}
    for name in NAMES:
        declared = msgspec.yaml.decode((PROTO / "topics" / f"{name}.yaml").read_bytes(), type=dict[str, Any])
        channel = name.replace(".", "_")
        for action, services in (("send", declared["producers"]), ("receive", declared["consumers"])):
            for service in services:
                operation = document["operations"][f"{service}_{action}s_{channel}"]
                assert operation["action"] == action
                assert operation["channel"]["$ref"] == f"#/channels/{channel}"


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_valid_by_its_schema(name: str) -> None:
    schema = json.loads((PROTO / "topics" / f"{name}.schema.json").read_text())
    example = json.loads((PROTO / "topics" / "examples" / f"{name}.json").read_text())
    assert jsonschema_rs.validator_for(schema).is_valid(example)
    assert not jsonschema_rs.validator_for(schema).is_valid({})


@pytest.fixture
def compat(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The check, against a last release in tmp_path that is as today's."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    module = importlib.import_module("topic_compat")
    files = importlib.import_module("topic_files")
    monkeypatch.setattr(module, "RELEASED", tmp_path)
    (tmp_path / "examples").mkdir()
    for topic in files.load():
        (tmp_path / f"{topic.topic}.schema.json").write_text(files.schema(topic))
        example = PROTO / "topics" / "examples" / f"{topic.topic}.json"
        (tmp_path / "examples" / example.name).write_bytes(example.read_bytes())
    return module


def found(compat: ModuleType) -> list[str]:
    files = importlib.import_module("topic_files")
    return [sentence for topic in files.load() for sentence in compat.breaks(topic)]


def edit(path: Path, change: Any) -> None:
    whole = json.loads(path.read_text())
    change(whole["$defs"]["PageStored"])
    path.write_text(json.dumps(whole))


def test_bodies_as_released_break_nothing(compat: ModuleType) -> None:
    assert found(compat) == []


def test_a_new_topic_breaks_nothing(compat: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "xget.stored.schema.json").unlink()
    assert found(compat) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d["required"].remove("matched"), "PageStored.matched is required now"),
        (lambda d: d["required"].append("colour"), "PageStored.colour is gone"),
        (lambda d: d["properties"]["matched"].update(type="string"), "PageStored.matched was string"),
        (lambda d: d["properties"]["first_id"].update(anyOf=[{"type": "array"}]), "PageStored.first_id was array"),
    ],
)
def test_a_breaking_change_is_named(compat: ModuleType, tmp_path: Path, change: Any, says: str) -> None:
    edit(tmp_path / "xget.stored.schema.json", change)
    assert [says in sentence for sentence in found(compat)] == [True]


def test_an_example_of_the_last_release_that_is_read_no_more_is_named(compat: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "examples" / "xget.stored.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"matched": "one"}))
    assert any("no longer reads the released example" in sentence for sentence in found(compat))
