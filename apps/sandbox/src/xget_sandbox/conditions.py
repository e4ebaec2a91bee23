"""Under which conditions X answers: everything that can be turned while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from xget_sandbox.drift import Drifts
from xget_sandbox.faults import Faults
from xget_sandbox.journal import Journal
from xget_sandbox.limits import Limits
from xget_sandbox.paging import Pagings


@dataclass(frozen=True, slots=True)
class Conditions:
    """One of each; the gate obeys them and the control pages turn them."""

    faults: Faults
    limits: Limits
    pagings: Pagings
    drifts: Drifts
    journal: Journal
