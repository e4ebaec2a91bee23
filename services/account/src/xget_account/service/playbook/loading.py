"""Reads a playbook file; what is wrong with it is said in one sentence with the line and the rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib.resources import files
from typing import Any, Final, cast

import yaml

from xget_account.models import NEEDS_HUMAN, NEEDS_LOGIN, SUSPENDED
from xget_account.service.life import NEXT_STEPS
from xget_account.service.playbook.rows import (
    ACTIONS,
    HUMAN,
    KINDS,
    LONGEST_REST,
    QUARANTINE,
    RELOGIN,
    REST,
    Playbook,
    Rule,
)

VERSION: Final = 1
LARGEST: Final = 256 * 1024
"""Characters of a file."""
_STATE_OF: Final = {RELOGIN: (NEEDS_LOGIN,), HUMAN: (NEEDS_HUMAN,), QUARANTINE: (SUSPENDED, NEEDS_HUMAN)}
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WHEN: Final = ("codes", "statuses", "kinds", "codeless", "data", "room")
_KEYS: Final = ("name", "when", "action", "rest", "until_reset", "all", "state", "reason", "next_step")
_REST = re.compile(r"([1-9]\d{0,5})([smhd])", re.ASCII)
_RANGE = re.compile(r"(\d{1,3})-(\d{1,3})", re.ASCII)
_NAME = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)


class BadPlaybook(ValueError):
    """A file that is no playbook: the sentence names its line and rule."""


def packaged() -> Playbook:
    """The playbook that comes with XGet."""
    return parse((files(__package__) / "default.yaml").read_text("utf-8"), "packaged")


def parse(text: str, source: str) -> Playbook:
    """Read a playbook from YAML or JSON. Raises BadPlaybook; `source` is its name in sentences."""
    if len(text) > LARGEST:
        raise BadPlaybook(f"{source}: a playbook has at most {LARGEST // 1024} KB.")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}:{mark.line + 1}" if mark else source
        raise BadPlaybook(f"{where}: this is not YAML ({getattr(error, 'problem', None) or error}).") from None
    return _Reader(source).playbook(root, text)


class _Reader:
    """Walks the nodes of a file and knows where it is."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._rule = ""

    def playbook(self, root: yaml.Node | None, text: str) -> Playbook:
        found = self._mapping(root, ("version", "name", "rules", "otherwise"))
        for key in ("version", "rules", "otherwise"):
            if key not in found:
                raise self._bad(root, f"`{key}` is missing")
        if (version := _plain(found["version"])) != VERSION:
            raise self._bad(found["version"], f"version {version!r} is not known: this XGet reads version {VERSION}")
        if not isinstance(found["rules"], yaml.SequenceNode) or not found["rules"].value:
            raise self._bad(found["rules"], "`rules` has to be a list with at least one rule")
        rules = tuple(self._rules(found["rules"].value))
        self._rule = "otherwise"
        otherwise = self._one(found["otherwise"], "unknown")
        if otherwise.action != REST:
            raise self._bad(found["otherwise"], "an answer that nobody knows has to make the account rest")
        name = str(_plain(found["name"])) if "name" in found else self._source
        return Playbook(
            version=VERSION, name=name[:64], rules=rules, otherwise=otherwise, source=self._source, text=text
        )

    def _rules(self, nodes: list[yaml.Node]) -> Iterator[Rule]:
        names: set[str] = set()
        for number, node in enumerate(nodes, 1):
            self._rule = f"rule {number}"
            rule = self._one(node, "")
            if rule.name in names:
                raise self._bad(node, f"another rule is called {rule.name!r} too")
            names.add(rule.name)
            yield rule

    def _one(self, node: yaml.Node, name: str) -> Rule:
        found = self._mapping(node, _KEYS)
        if not name:
            name = str(self._value(found, "name", str, required=node))
            self._rule = f"rule {name!r}"
            if not _NAME.fullmatch(name):
                raise self._bad(found["name"], "a name has 1 to 64 of a-z, 0-9 and _")
            if "when" not in found:
                raise self._bad(node, "`when` is missing")
        action = self._value(found, "action", str, required=node)
        if action not in ACTIONS:
            raise self._bad(found["action"], f"{action!r} is no action: write one of {', '.join(ACTIONS)}")
        rule = Rule(
            name=name,
            action=str(action),
            rest=self._rest(found),
            until_reset=bool(self._value(found, "until_reset", bool)),
            everything=bool(self._value(found, "all", bool)),
            set_status=self._state(found, str(action), node),
            sentence=str(self._value(found, "reason", str) or ""),
            next_step=self._step(found),
            **self._when(found),
        )
        if rule.action == REST and rule.rest is None:
            raise self._bad(node, "the action rest needs `rest`, such as 15m")
        if rule.until_reset and rule.rest is None:
            raise self._bad(found["until_reset"], "`until_reset` needs `rest` too, for answers that name no reset time")
        return rule

    def _when(self, found: Mapping[str, yaml.Node]) -> dict[str, Any]:
        if "when" not in found:
            return {}
        when = self._mapping(found["when"], _WHEN)
        if not when:
            raise self._bad(found["when"], "`when` names no condition: it would fit every answer")
        kinds = self._list(when, "kinds", str)
        if unknown := sorted(set(kinds or ()) - set(KINDS)):
            raise self._bad(when["kinds"], f"{unknown[0]!r} is no kind of body: write one of {', '.join(KINDS)}")
        codes = self._list(when, "codes", int)
        return {
            "codes": frozenset(codes) if codes else None,
            "kinds": frozenset(kinds) if kinds else None,
            "statuses": self._statuses(when),
            "codeless": bool(self._value(when, "codeless", bool)),
            "data": self._value(when, "data", bool),
            "room": self._value(when, "room", bool),
        }

    def _statuses(self, when: Mapping[str, yaml.Node]) -> tuple[range, ...] | None:
        listed = self._list(when, "statuses", int, str)
        made = []
        for one in listed or ():
            text = f"{one}-{one}" if isinstance(one, int) else one
            span = _RANGE.fullmatch(text)
            if span is None or int(span[1]) > int(span[2]) or int(span[2]) > 599:
                raise self._bad(when["statuses"], f'{one!r} is no HTTP status: write 0, 429 or a range "500-599"')
            made.append(range(int(span[1]), int(span[2]) + 1))
        return tuple(made) or None

    def _rest(self, found: Mapping[str, yaml.Node]) -> timedelta | None:
        text = self._value(found, "rest", str)
        if text is None:
            return None
        span = _REST.fullmatch(str(text))
        rest = timedelta(seconds=int(span[1]) * _SECONDS[span[2]]) if span else timedelta()
        if not timedelta() < rest <= LONGEST_REST:
            raise self._bad(found["rest"], f"{text!r} is no rest: write 30s, 15m or 2h, at most 24h")
        return rest

    def _state(self, found: Mapping[str, yaml.Node], action: str, node: yaml.Node) -> str | None:
        state = self._value(found, "state", str)
        fitting = _STATE_OF.get(action, ())
        if state is None and not fitting:
            return None
        if state is None or state not in fitting:
            wanted = f"needs `state` {' or '.join(fitting)}" if fitting else "leaves the state as it is"
            raise self._bad(found.get("state", node), f"the action {action} {wanted}")
        if not self._value(found, "reason", str):
            raise self._bad(node, "a rule with a state needs a `reason` that people understand")
        return str(state)

    def _step(self, found: Mapping[str, yaml.Node]) -> str:
        step = str(self._value(found, "next_step", str) or "")
        if step not in NEXT_STEPS:
            known = ", ".join(word for word in NEXT_STEPS if word)
            raise self._bad(found["next_step"], f"{step!r} is no next step: write one of {known}")
        return step

    def _mapping(self, node: yaml.Node | None, known: tuple[str, ...]) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self._bad(node, f"expected a mapping with {', '.join(known)}")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            word = str(_plain(key))
            if word not in known:
                raise self._bad(key, f"{word!r} is not known: write {', '.join(known)}")
            if word in found:
                raise self._bad(key, f"{word!r} is there twice")
            found[word] = value
        return found

    def _value(
        self, found: Mapping[str, yaml.Node], key: str, kind: type, *, required: yaml.Node | None = None
    ) -> str | bool | int | None:
        if key not in found:
            if required is not None:
                raise self._bad(required, f"`{key}` is missing")
            return None
        value = _plain(found[key])
        if type(value) is not kind:
            raise self._bad(found[key], f"`{key}` has to be {'true or false' if kind is bool else 'text'}")
        return cast("str | bool | int", value)

    def _list(self, found: Mapping[str, yaml.Node], key: str, *kinds: type) -> list[Any] | None:
        if key not in found:
            return None
        node = found[key]
        values = [_plain(one) for one in node.value] if isinstance(node, yaml.SequenceNode) else []
        if not values or any(type(one) not in kinds for one in values):
            raise self._bad(node, f"`{key}` has to be a list of {' or '.join(_WORDS[kind] for kind in kinds)}")
        return values

    def _bad(self, node: yaml.Node | None, sentence: str) -> BadPlaybook:
        line = node.start_mark.line + 1 if node is not None else 1
        rule = f" {self._rule}:" if self._rule else ""
        return BadPlaybook(f"{self._source}:{line}:{rule} {sentence}.")


_WORDS: Final = {int: "numbers", str: "words"}


def _plain(node: yaml.Node) -> Any:
    """The value of a scalar; None for what is none."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError):
        return None
