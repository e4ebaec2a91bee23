"""Task bodies in OpenAPI: one schema for each task type, told apart by `task_type`."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any, Final

from xget_sources.ports import Source, TaskTypeSpec

REF: Final = "#/components/schemas/"
WRITE: Final = "TaskWrite"


def describe_types(document: dict[str, Any], sources: Iterable[Source]) -> dict[str, Any]:
    """Replace the general task body by the bodies of all types of all sources. Changes and returns `document`."""
    schemas = document["components"]["schemas"]
    general = schemas.get(WRITE)
    if general is None or "oneOf" in general:
        return document
    mapping: dict[str, str] = {}
    for source in sources:
        for spec in source.task_types.values():
            names = [spec.name, *(alias for alias, name in source.aliases.items() if name == spec.name)]
            title = f"{WRITE}_{spec.name}"
            schemas[title] = _body(general, title, names, source.platform, spec)
            schemas.update(_parameters(spec))
            mapping |= dict.fromkeys(names, REF + title)
    schemas[WRITE] = {
        "title": WRITE,
        "description": general.get("description", ""),
        "oneOf": [{"$ref": ref} for ref in dict.fromkeys(mapping.values())],
        "discriminator": {"propertyName": "task_type", "mapping": mapping},
    }
    return document


def _body(general: dict[str, Any], title: str, names: list[str], platform: str, spec: TaskTypeSpec) -> dict[str, Any]:
    body = deepcopy(general)
    body["title"], body["description"] = title, spec.summary
    body["properties"]["task_type"] = {"type": "string", "enum": names, "description": "What to collect."}
    body["properties"]["platform"] |= {"enum": [platform]}
    body["properties"]["parameters"] = {"$ref": f"{REF}Parameters_{spec.name}"}
    if spec.parameters.model_json_schema().get("required"):
        body["required"] = sorted({*body.get("required", ()), "parameters"})
    return body


def _parameters(spec: TaskTypeSpec) -> dict[str, Any]:
    schema = spec.parameters.model_json_schema(ref_template=f"{REF}Parameters_{{model}}")
    found = {f"Parameters_{name}": definition for name, definition in schema.pop("$defs", {}).items()}
    return found | {f"Parameters_{spec.name}": schema}
