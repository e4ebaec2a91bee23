"""Faults on demand: what goes wrong, and at which request.

`kind@n` strikes the n-th timeline request since the faults were set, `kind%p` each one with probability p (seeded),
`kind:Operation@n` counts and strikes that operation only (any operation, also UserByScreenName). `kind=value` sets the
kind's number: seconds until the limit comes back for 429, seconds the body takes for slow.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from xget_sandbox.errors import SandboxError
from xget_sandbox.source import TIMELINES

KINDS = {
    "429": 3.0, "88": 0, "64": 0, "32": 0, "326": 0, "226": 0, "403": 0, "404": 0, "500": 0, "loadshed": 0, "html": 0,
    "malformed": 0, "empty": 0, "repeat-cursor": 0, "end": 0, "drop": 0, "slow": 2.0,
}  # fmt: skip
SPEC = re.compile(r"(?P<kind>[\w-]+?)(?:=(?P<value>[\d.]+))?(?::(?P<op>\w+))?(?:@(?P<at>\d+)|%(?P<chance>[\d.]+))")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    kind: str
    value: float
    operation: str | None
    at: int | None
    chance: float

    @property
    def empty(self) -> bool:
        """See Tampering."""
        return self.kind == "empty"

    @property
    def repeat(self) -> bool:
        """See Tampering."""
        return self.kind == "repeat-cursor"

    @property
    def ended(self) -> bool:
        """See Tampering."""
        return self.kind == "end"


class Faults:
    """The faults in force; counting begins anew when they are set."""

    def __init__(self, specs: Sequence[str], seed: int) -> None:
        self._seed = seed
        self.set(specs)

    def set(self, specs: Sequence[str]) -> None:
        """Replace all faults; a text may hold several, separated by commas. Raises SandboxError and changes nothing."""
        texts = [text.strip() for spec in specs for text in spec.split(",") if text.strip()]
        self.active = [parse_fault(text) for text in texts]
        self.texts = texts
        self._seen: Counter[str] = Counter()
        self._rng = Random(f"{self._seed}:faults")

    def strike(self, operation: str) -> Fault | None:
        """The fault that hits this request, if any."""
        self._seen[operation] += 1
        if operation in TIMELINES:
            self._seen[""] += 1
        for fault in self.active:
            if fault.operation is None and operation not in TIMELINES:
                continue
            if fault.operation not in (None, operation):
                continue
            if fault.at is None and self._rng.random() < fault.chance:
                return fault
            if fault.at == self._seen[fault.operation or ""]:
                return fault
        return None


def parse_fault(text: str) -> Fault:
    """One fault from its text. Raises SandboxError."""
    found = SPEC.fullmatch(text)
    if found is None or found["kind"] not in KINDS:
        known = ", ".join(KINDS)
        raise SandboxError(f"Unknown fault {text!r}: write kind@n, kind%p or kind:Operation@n with a kind of {known}.")
    value = float(found["value"]) if found["value"] else KINDS[found["kind"]]
    at = int(found["at"]) if found["at"] else None
    chance = float(found["chance"]) if found["chance"] else 0.0
    if at == 0 or chance > 1:
        raise SandboxError(f"Fault {text!r} never fits: requests count from 1, a probability is at most 1.")
    return Fault(found["kind"], value, found["op"], at, chance)
