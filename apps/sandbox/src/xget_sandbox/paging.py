"""How far X lets a timeline be read: searches that stall, that say "no more" too early, cursors that grow old.

Rules are per operation. A rule is written `name=value`, of another operation than SearchTimeline
`Operation.name=value`, several with commas: `stall=800,how=mixed,lie=0.02,expire=900,UserTweets.stall=3200`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any
from zlib import crc32

from xget_sandbox.errors import SandboxError
from xget_sandbox.source import TIMELINES, Tampering
from xget_sandbox.wire.cursors import BadCursor, Cursor

HOWS = ("empty", "repeat", "end")
SEARCH = "SearchTimeline"


@dataclass(frozen=True, slots=True)
class Rule:
    """One operation's rule; zeros mean never.

    `stall`: after so many rows of one listing nothing new comes, `how` it goes on (`mixed`: each listing its own way);
    `lie`: share of the pages, a listing's first one never, that say that there is no more, however often they are asked
    for; `flicker`: probability that a page which is not the first does so, drawn anew at each asking;
    `expire`: seconds of X's clock that a cursor lives after it was last handed out.
    """

    stall: int = 0
    how: str = "mixed"
    lie: float = 0.0
    flicker: float = 0.0
    expire: float = 0.0


@dataclass(frozen=True, slots=True)
class Bent:
    """What happens to one page, see Tampering."""

    empty: bool = False
    repeat: bool = False
    ended: bool = False


class Pagings:
    """The rules in force and what they did."""

    def __init__(self, rules: Mapping[str, Any] | str, seed: int, now: Callable[[], float]) -> None:
        self._seed = seed
        self._now = now
        self.set(rules)

    def set(self, rules: Mapping[str, Any] | str) -> None:
        """Replace all rules and forget all cursors' ages. Raises SandboxError and changes nothing."""
        self.rules = parse_rules(rules)
        self.struck: Counter[str] = Counter()
        self._last: str | None = None
        self._asked: Counter[tuple[str, Cursor]] = Counter()
        self._given: dict[tuple[str, Cursor], float] = {}

    def told(self) -> dict[str, Any]:
        """Rules by operation and how often each kind struck."""
        return {"paging": {name: asdict(rule) for name, rule in self.rules.items()}, "struck": dict(self.struck)}

    def taken(self) -> str | None:
        """What struck since the last call: stall, lie, expired."""
        last, self._last = self._last, None
        return last

    def bend(self, operation: str, tampering: Tampering) -> Bend:
        """A fault's tampering together with the operation's rule."""
        return Bend(self, self.rules.get(operation), tampering)

    def expired(self, rule: Rule, listing: str, cursor: Cursor) -> bool:
        """Whether a cursor has outlived its time; one from before a restart has not."""
        given = self._given.get((listing, cursor))
        return bool(rule.expire) and given is not None and self._now() - given > rule.expire

    def handed_out(self, rule: Rule, listing: str, cursor: Cursor) -> None:
        """A cursor begins to age."""
        if rule.expire:
            self._given[listing, cursor] = self._now()

    def lies(self, rule: Rule, listing: str, cursor: Cursor) -> bool:
        """Whether this page pretends to be the end, this time."""
        if cursor == Cursor() or not (rule.lie or rule.flicker):
            return False
        place = f"{self._seed}:lie:{listing}:{cursor.offset}:{cursor.turn}"
        if Random(place).random() < rule.lie:
            return True
        self._asked[listing, cursor] += 1
        return Random(f"{place}:{self._asked[listing, cursor]}").random() < rule.flicker

    def note(self, what: str) -> None:
        """Write down that a rule struck."""
        self.struck[what] += 1
        self._last = what


@dataclass(frozen=True, slots=True)
class Bend:
    """How one answer is bent."""

    pagings: Pagings
    rule: Rule | None
    fault: Tampering

    @property
    def empty(self) -> bool:
        """The fault's."""
        return self.fault.empty

    @property
    def ended(self) -> bool:
        """The fault's."""
        return self.fault.ended

    def at(self, listing: str, cursor: Cursor, count: int, size: int) -> Tampering:
        """What happens to the page of `count` rows from `cursor` on. Raises BadCursor for one that has expired."""
        rule = self.rule
        if rule is None or self.fault.empty or self.fault.repeat or self.fault.ended:
            return self.fault
        if self.pagings.expired(rule, listing, cursor):
            self.pagings.note("expired")
            raise BadCursor("The cursor has expired.")
        if cursor.offset < size and self.pagings.lies(rule, listing, cursor):
            self.pagings.note("lie")
            return Bent(ended=True)
        how = _stalled(rule, listing, cursor, count, size)
        if how is None:
            return self.fault
        self.pagings.note("stall")
        return Bent(empty=how == "empty", repeat=how == "repeat", ended=how == "end")

    def lead_to(self, listing: str, cursor: Cursor) -> None:
        """The page's bottom cursor."""
        if self.rule is not None:
            self.pagings.handed_out(self.rule, listing, cursor)


def _stalled(rule: Rule, listing: str, cursor: Cursor, count: int, size: int) -> str | None:
    if not rule.stall or size <= rule.stall:
        return None
    how = HOWS[crc32(listing.encode()) // 7 % len(HOWS)] if rule.how == "mixed" else rule.how
    reached = cursor.offset + (count if how == "repeat" else 0)
    return how if reached >= rule.stall and cursor.offset < size else None


def parse_rules(rules: Mapping[str, Any] | str) -> dict[str, Rule]:
    """Rules from their text or from {operation: {name: value}}. Raises SandboxError."""
    made: dict[str, Rule] = {}
    if isinstance(rules, str):
        for text in filter(None, (part.strip() for part in rules.split(","))):
            where, sign, value = text.partition("=")
            if not sign:
                raise SandboxError(
                    f"Unknown paging {text!r}: write name=value, such as stall=800 or UserTweets.lie=0.1."
                )
            operation, dot, name = where.rpartition(".")
            made = _with(made, operation if dot else SEARCH, name, value)
        return made
    for operation, settings in rules.items():
        if not isinstance(settings, Mapping):
            raise SandboxError(f"paging.{operation} is an object of stall, how, lie, flicker and expire.")
        made.setdefault(operation, Rule())
        for name, value in settings.items():
            made = _with(made, operation, name, value)
    return made


def _with(made: dict[str, Rule], operation: str, name: str, value: object) -> dict[str, Rule]:
    if operation not in TIMELINES:
        raise SandboxError(
            f"Unknown operation {operation!r} in paging: it has to be one of {', '.join(sorted(TIMELINES))}."
        )
    return {**made, operation: replace(made.get(operation, Rule()), **{name: _value(name, value)})}


def _value(name: str, value: object) -> Any:
    if name == "how":
        if value not in (*HOWS, "mixed"):
            raise SandboxError(f"paging how={value} is not known: it is one of {', '.join(HOWS)} or mixed.")
        return value
    if name not in ("stall", "lie", "flicker", "expire"):
        raise SandboxError(f"Unknown paging {name!r}: there are stall, how, lie, flicker and expire.")
    try:
        number = float(str(value))
    except ValueError as error:
        raise SandboxError(f"paging {name}={value} is not a number.") from error
    if not 0 <= number < 1e9 or (name in ("lie", "flicker") and number > 1):
        raise SandboxError(f"paging {name}={value} is out of range: at least 0, a probability at most 1.")
    return int(number) if name == "stall" else number
