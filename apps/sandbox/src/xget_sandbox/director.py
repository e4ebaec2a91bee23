"""Turning a sandbox's conditions: at the start, on schedule, and by its own pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xget_sandbox.conditions import Conditions
from xget_sandbox.errors import SandboxError
from xget_sandbox.world.changes import Changes

Deed = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """What is done once the virtual clock shows `after` seconds, or at the n-th GraphQL request."""

    deeds: Deed
    after: float | None = None
    at_request: int | None = None


class Director:
    """Does what is due before every answer, X's or the sandbox's own."""

    def __init__(self, conditions: Conditions, changes: Changes, schedule: Sequence[Step] = ()) -> None:
        self.conditions = conditions
        self.changes = changes
        self.waiting = list(schedule)
        self.done: list[dict[str, Any]] = []
        self.requests = 0

    def tick(self) -> None:
        """One more request has come."""
        self.requests += 1
        self.catch_up()

    def catch_up(self) -> None:
        """Do what is due by now, so that whoever looks sees the world as it is; a step may make others due."""
        while due := [step for step in self.waiting if self._due(step)]:
            self.waiting = [step for step in self.waiting if step not in due]
            for step in due:
                self._try(step)

    def _due(self, step: Step) -> bool:
        if step.at_request is not None:
            return self.requests >= step.at_request
        return self.conditions.limits.clock.elapsed() >= (step.after or 0.0)

    def _try(self, step: Step) -> None:
        """A step that names what is not there must not end the run."""
        told: dict[str, Any] = {"request": self.requests, "elapsed": self.conditions.limits.clock.elapsed()}
        try:
            told["did"] = self.apply(step.deeds)
        except SandboxError as error:
            told["failed"] = str(error)
        self.done.append(told)

    def apply(self, deeds: Deed) -> dict[str, Any]:
        """Faults, paging, limits, drift, change, advance: each replaces or adds as its own page does."""
        told: dict[str, Any] = {}
        if "faults" in deeds:
            self.conditions.faults.set(deeds["faults"])
            told["faults"] = self.conditions.faults.texts
        if "paging" in deeds:
            self.conditions.pagings.set(deeds["paging"])
            told |= self.conditions.pagings.told()
        if "limits" in deeds:
            self.conditions.limits.set(deeds["limits"])
            told["limits"] = self.conditions.limits.told()
        if "drift" in deeds:
            self.conditions.drifts.set(deeds["drift"])
            told["drift"] = self.conditions.drifts.told()["drift"]
        if "change" in deeds:
            told["change"] = self.changes.apply(deeds["change"])
        if "advance" in deeds:
            self.conditions.limits.clock.advance(float(deeds["advance"]))
        return told

    def told(self) -> dict[str, Any]:
        """What has been done on schedule and what waits."""
        waiting = [{"after": step.after, "at_request": step.at_request, **step.deeds} for step in self.waiting]
        return {"requests": self.requests, "done": self.done, "waiting": waiting}
