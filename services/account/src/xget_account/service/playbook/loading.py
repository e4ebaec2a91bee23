"""Reads a playbook file; what is wrong with it is said in one sentence with the line and the rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from xget_account.models import NEEDS_HUMAN, NEEDS_LOGIN, SUSPENDED
from xget_account.service.life import NEXT_STEPS
from xget_account.service.playbook.nodes import BadPlaybook, Nodes, plain
from xget_account.service.playbook.rows import (
    ACTIONS,
    HUMAN,
    KINDS,
    LONGEST_REST,
    QUARANTINE,
    RELOGIN,
    REST,
    ROUTES,
    SESSION,
    Playbook,
    Rule,
    known_kind,
)

VERSION: Final = 1
LARGEST: Final = 256 * 1024
"""Characters of a file."""
_STATE_OF: Final = {RELOGIN: (NEEDS_LOGIN,), HUMAN: (NEEDS_HUMAN,), QUARANTINE: (SUSPENDED, NEEDS_HUMAN)}
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WHEN: Final = ("codes", "statuses", "kinds", "codeless", "data", "room")
_KEYS: Final = (
    "name",
    "route",
    "when",
    "action",
    "rest",
    "until_reset",
    "until_month",
    "all",
    "state",
    "reason",
    "next_step",
)
_REST = re.compile(r"([1-9]\d{0,5})([smhd])", re.ASCII)
_RANGE = re.compile(r"(\d{1,3})-(\d{1,3})", re.ASCII)
_NAME = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)


@cache
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
    return _completed(_Reader(source).playbook(root, text))


def _completed(playbook: Playbook) -> Playbook:
    """Routes that a file says nothing of keep the packaged rules: files are older than routes."""
    said = {rule.route for rule in playbook.rules}
    missing = [route for route in ROUTES if route not in said]
    if not missing:
        return playbook
    added = tuple(rule for rule in packaged().rules if rule.route in missing)
    note = f"It has no rule for the route {' and '.join(missing)}: the packaged rules are in force for it."
    return replace(playbook, rules=playbook.rules + added, note=note)


class _Reader(Nodes):
    """Makes rules of the nodes of a file."""

    def playbook(self, root: yaml.Node | None, text: str) -> Playbook:
        found = self.mapping(root, ("version", "name", "rules", "otherwise"))
        for key in ("version", "rules", "otherwise"):
            if key not in found:
                raise self.bad(root, f"`{key}` is missing")
        if (version := plain(found["version"])) != VERSION:
            raise self.bad(found["version"], f"version {version!r} is not known: this XGet reads version {VERSION}")
        if not isinstance(found["rules"], yaml.SequenceNode) or not found["rules"].value:
            raise self.bad(found["rules"], "`rules` has to be a list with at least one rule")
        rules = tuple(self._rules(found["rules"].value))
        self.rule = "otherwise"
        otherwise = self._one(found["otherwise"], "unknown")
        if otherwise.action != REST:
            raise self.bad(found["otherwise"], "an answer that nobody knows has to make the account rest")
        name = str(plain(found["name"])) if "name" in found else self.source
        return Playbook(
            version=VERSION, name=name[:64], rules=rules, otherwise=otherwise, source=self.source, text=text
        )

    def _rules(self, nodes: list[yaml.Node]) -> Iterator[Rule]:
        names: set[str] = set()
        for number, node in enumerate(nodes, 1):
            self.rule = f"rule {number}"
            rule = self._one(node, "")
            if rule.name in names:
                raise self.bad(node, f"another rule is called {rule.name!r} too")
            names.add(rule.name)
            yield rule

    def _one(self, node: yaml.Node, name: str) -> Rule:
        found = self.mapping(node, _KEYS)
        if not name:
            name = str(self.value(found, "name", str, required=node))
            self.rule = f"rule {name!r}"
            if not _NAME.fullmatch(name):
                raise self.bad(found["name"], "a name has 1 to 64 of a-z, 0-9 and _")
            if "when" not in found:
                raise self.bad(node, "`when` is missing")
        action = self.value(found, "action", str, required=node)
        if action not in ACTIONS:
            raise self.bad(found["action"], f"{action!r} is no action: write one of {', '.join(ACTIONS)}")
        rule = Rule(
            name=name,
            action=str(action),
            route=self._route(found),
            rest=self._rest(found),
            until_reset=bool(self.value(found, "until_reset", bool)),
            until_month=bool(self.value(found, "until_month", bool)),
            everything=bool(self.value(found, "all", bool)),
            set_status=self._state(found, str(action), node),
            sentence=str(self.value(found, "reason", str) or ""),
            next_step=self._step(found),
            **self._when(found),
        )
        if rule.action == REST and rule.rest is None and not rule.until_month:
            raise self.bad(node, "the action rest needs `rest`, such as 15m")
        if rule.until_reset and rule.rest is None:
            raise self.bad(found["until_reset"], "`until_reset` needs `rest` too, for answers that name no reset time")
        return rule

    def _route(self, found: Mapping[str, yaml.Node]) -> str:
        route = str(self.value(found, "route", str) or SESSION)
        if route not in ROUTES:
            raise self.bad(found["route"], f"{route!r} is no route: write one of {', '.join(ROUTES)}")
        return route

    def _when(self, found: Mapping[str, yaml.Node]) -> dict[str, Any]:
        if "when" not in found:
            return {}
        when = self.mapping(found["when"], _WHEN)
        if not when:
            raise self.bad(found["when"], "`when` names no condition: it would fit every answer")
        kinds = self.many(when, "kinds", str)
        if unknown := sorted(kind for kind in kinds or () if not known_kind(kind)):
            raise self.bad(when["kinds"], f"{unknown[0]!r} is no kind of body: write one of {', '.join(KINDS)}")
        codes = self.many(when, "codes", int)
        return {
            "codes": frozenset(codes) if codes else None,
            "kinds": frozenset(kinds) if kinds else None,
            "statuses": self._statuses(when),
            "codeless": bool(self.value(when, "codeless", bool)),
            "data": self.value(when, "data", bool),
            "room": self.value(when, "room", bool),
        }

    def _statuses(self, when: Mapping[str, yaml.Node]) -> tuple[range, ...] | None:
        listed = self.many(when, "statuses", int, str)
        made = []
        for one in listed or ():
            text = f"{one}-{one}" if isinstance(one, int) else one
            span = _RANGE.fullmatch(text)
            if span is None or int(span[1]) > int(span[2]) or int(span[2]) > 599:
                raise self.bad(when["statuses"], f'{one!r} is no HTTP status: write 0, 429 or a range "500-599"')
            made.append(range(int(span[1]), int(span[2]) + 1))
        return tuple(made) or None

    def _rest(self, found: Mapping[str, yaml.Node]) -> timedelta | None:
        text = self.value(found, "rest", str)
        if text is None:
            return None
        span = _REST.fullmatch(str(text))
        rest = timedelta(seconds=int(span[1]) * _SECONDS[span[2]]) if span else timedelta()
        if not timedelta() < rest <= LONGEST_REST:
            raise self.bad(found["rest"], f"{text!r} is no rest: write 30s, 15m or 2h, at most 24h")
        return rest

    def _state(self, found: Mapping[str, yaml.Node], action: str, node: yaml.Node) -> str | None:
        state = self.value(found, "state", str)
        fitting = _STATE_OF.get(action, ())
        if state is None and not fitting:
            return None
        if state is None or state not in fitting:
            wanted = f"needs `state` {' or '.join(fitting)}" if fitting else "leaves the state as it is"
            raise self.bad(found.get("state", node), f"the action {action} {wanted}")
        if not self.value(found, "reason", str):
            raise self.bad(node, "a rule with a state needs a `reason` that people understand")
        return str(state)

    def _step(self, found: Mapping[str, yaml.Node]) -> str:
        step = str(self.value(found, "next_step", str) or "")
        if step not in NEXT_STEPS:
            known = ", ".join(word for word in NEXT_STEPS if word)
            raise self.bad(found["next_step"], f"{step!r} is no next step: write one of {known}")
        return step
