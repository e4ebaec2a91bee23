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
    "429": 3.0, "88": 0, "88-room": 0, "64": 0, "32": 0, "89": 0, "131": 0, "179": 0, "214": 0, "226": 0, "326": 0,
    "336": 0, "353": 0, "366": 0, "398": 0, "399": 0, "401": 0, "403": 0, "404": 0, "500": 0, "502-html": 0,
    "loadshed": 0, "html": 0, "wall": 0, "login-redirect": 0, "redirect": 0, "logged-out": 0, "no-instructions": 0,
    "stale-query": 0, "no-transaction": 0, "unknown": 0, "malformed": 0, "empty": 0, "empty-body": 0,
    "repeat-cursor": 0, "end": 0, "drop": 0, "slow": 2.0, "expire": 0, "402": 0, "usage-capped": 0,
    "usage-capped-403": 0, "not-enrolled": 0, "unsupported-auth": 0, "too-fast": 0,
}  # fmt: skip
NUMBER = r"\d+(?:\.\d*)?|\.\d+"
SPEC = re.compile(
    rf"(?P<kind>[\w-]+?)(?:=(?P<value>{NUMBER}))?(?::(?P<op>\w+))?(?:@(?P<at>\d+)|%(?P<chance>{NUMBER}))", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    kind: str
    value: float
    operation: str | None
    at: int | None
    chance: float
    text: str

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

    def __init__(self, faults: object, seed: int) -> None:
        self._seed = seed
        self.set(faults)

    def set(self, faults: object) -> None:
        """Replace all faults, see `parse_faults`. Raises SandboxError and changes nothing."""
        self.active = parse_faults(faults)
        self._seen: Counter[str] = Counter()
        self._rng = Random(f"{self._seed}:faults")

    @property
    def texts(self) -> list[str]:
        """The faults as they were written."""
        return [fault.text for fault in self.active]

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


def parse_faults(faults: object) -> list[Fault]:
    """Faults from a text that separates them by commas, or from several of those. Raises SandboxError."""
    specs = [faults] if isinstance(faults, str) else faults
    if not isinstance(specs, Sequence) or not all(isinstance(spec, str) for spec in specs):
        raise SandboxError("faults: has to be a text such as 429@3,drop%0.1 or a list of them.")
    return [_parsed(text.strip()) for spec in specs for text in spec.split(",") if text.strip()]


def _parsed(text: str) -> Fault:
    found = SPEC.fullmatch(text)
    if found is None or found["kind"] not in KINDS:
        known = ", ".join(KINDS)
        raise SandboxError(f"Unknown fault {text!r}: write kind@n, kind%p or kind:Operation@n with a kind of {known}.")
    value = float(found["value"]) if found["value"] else KINDS[found["kind"]]
    at = int(found["at"]) if found["at"] else None
    chance = float(found["chance"]) if found["chance"] else 0.0
    if at == 0 or chance > 1:
        raise SandboxError(f"Fault {text!r} never fits: requests count from 1, a probability is at most 1.")
    return Fault(found["kind"], value, found["op"], at, chance, text)
