"""Walks the nodes of a YAML file and knows where it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import yaml


class BadPlaybook(ValueError):
    """A file that is no playbook: the sentence names its line and rule."""


class Nodes:
    """Reads values of the types that are wanted; `rule` is what the sentences name."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.rule = ""

    def mapping(self, node: yaml.Node | None, known: tuple[str, ...]) -> dict[str, yaml.Node]:
        """The values of a mapping by name; only known names are allowed. Raises BadPlaybook."""
        if not isinstance(node, yaml.MappingNode):
            raise self.bad(node, f"expected a mapping with {', '.join(known)}")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            word = str(plain(key))
            if word not in known:
                raise self.bad(key, f"{word!r} is not known: write {', '.join(known)}")
            if word in found:
                raise self.bad(key, f"{word!r} is there twice")
            found[word] = value
        return found

    def value(
        self, found: Mapping[str, yaml.Node], key: str, kind: type, *, required: yaml.Node | None = None
    ) -> str | bool | int | None:
        """A value of one type; None when it is not there. Raises BadPlaybook."""
        if key not in found:
            if required is not None:
                raise self.bad(required, f"`{key}` is missing")
            return None
        value = plain(found[key])
        if type(value) is not kind:
            raise self.bad(found[key], f"`{key}` has to be {'true or false' if kind is bool else 'text'}")
        return cast("str | bool | int", value)

    def many(self, found: Mapping[str, yaml.Node], key: str, *kinds: type) -> list[Any] | None:
        """The values of a list; None when it is not there. Raises BadPlaybook."""
        if key not in found:
            return None
        node = found[key]
        values = [plain(one) for one in node.value] if isinstance(node, yaml.SequenceNode) else []
        if not values or any(type(one) not in kinds for one in values):
            raise self.bad(node, f"`{key}` has to be a list of {' or '.join(_WORDS[kind] for kind in kinds)}")
        return values

    def bad(self, node: yaml.Node | None, sentence: str) -> BadPlaybook:
        """The error with the line of a node and the rule."""
        line = node.start_mark.line + 1 if node is not None else 1
        rule = f" {self.rule}:" if self.rule else ""
        return BadPlaybook(f"{self.source}:{line}:{rule} {sentence}.")


_WORDS: Final = {int: "numbers", str: "words"}


def plain(node: yaml.Node) -> Any:
    """The value of a scalar; None for what is none."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError):
        return None
