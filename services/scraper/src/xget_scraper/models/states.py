"""The life of an execution as data: which move leads where, and what each end means.

queued → collecting → (queued again: waits, retries, hand-overs, lost workers) → draining (all is published, storage
is still writing) → ended (every published page is stored; the certificate is written).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Status(StrEnum):
    """What users see of a task and of an execution."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"


class Phase(StrEnum):
    """Where an execution stands inside."""

    QUEUED = "queued"
    COLLECTING = "collecting"
    DRAINING = "draining"
    ENDED = "ended"


class Move(StrEnum):
    """What can happen to an execution."""

    CLAIM = "claim"
    CHECKPOINT = "checkpoint"
    HAND_BACK = "hand_back"
    EXPIRE = "expire"
    FINISH = "finish"
    CANCEL = "cancel"
    SETTLE = "settle"


MOVES: Mapping[tuple[Phase, Move], Phase] = MappingProxyType(
    {
        (Phase.QUEUED, Move.CLAIM): Phase.COLLECTING,
        (Phase.QUEUED, Move.CANCEL): Phase.DRAINING,
        (Phase.COLLECTING, Move.CHECKPOINT): Phase.COLLECTING,
        (Phase.COLLECTING, Move.HAND_BACK): Phase.QUEUED,
        (Phase.COLLECTING, Move.EXPIRE): Phase.QUEUED,
        (Phase.COLLECTING, Move.FINISH): Phase.DRAINING,
        (Phase.DRAINING, Move.SETTLE): Phase.ENDED,
    }
)


class IllegalMoveError(Exception):
    """A move that the table does not have: a fault of ours, never of the caller."""

    def __init__(self, phase: Phase, move: Move) -> None:
        super().__init__(f"An execution that is {phase} cannot {move}.")


def advance(phase: Phase, move: Move) -> Phase:
    """The phase after `move`; raises IllegalMoveError."""
    try:
        return MOVES[phase, move]
    except KeyError:
        raise IllegalMoveError(phase, move) from None


class Ending(NamedTuple):
    """What an end reason means to the user."""

    status: Status
    complete: bool
    """Everything that was asked for was got."""
    sentence: str


ENDINGS: Mapping[str, Ending] = MappingProxyType(
    {
        "exhausted": Ending(Status.COMPLETED, True, "Everything that the platform shows for this task was collected."),
        "limit_reached": Ending(Status.COMPLETED, True, "As many results as the task's limit asks for were collected."),
        "window_covered": Ending(Status.COMPLETED, True, "The whole time window was collected."),
        "ranking_ended": Ending(
            Status.COMPLETED, False, "The platform showed all that it chose to show; that need not be all there is."
        ),
        "stalled": Ending(
            Status.COMPLETED, False, "The platform stopped giving anything new; there may be more than was collected."
        ),
        "partial": Ending(
            Status.COMPLETED, False, "Some targets could not be collected; the list of targets says which and why."
        ),
        "cancelled": Ending(Status.STOPPED, False, "Stopped on request; what was collected until then is kept."),
        "rate_limited_out": Ending(
            Status.FAILED, False, "All accounts stay at their rate limits for longer than the task may wait."
        ),
        "no_account": Ending(Status.FAILED, False, "There is no usable account for this task."),
        "blocked": Ending(Status.FAILED, False, "The platform refused to go on."),
        "source_error": Ending(Status.FAILED, False, "The platform's answers could not be used."),
        "not_found": Ending(Status.FAILED, False, "The platform has nothing by this name or number (any more)."),
        "protected": Ending(Status.FAILED, False, "Only those whom its owner lets in may see it."),
        "suspended": Ending(Status.FAILED, False, "The platform has suspended its owner."),
        "unavailable": Ending(Status.FAILED, False, "The platform does not show it to the accounts that asked."),
    }
)


def status_of(phase: Phase, *, started: bool, end_reason: str | None) -> Status:
    """What the user sees: PENDING until first claimed, RUNNING until every page is stored, then the ending's status."""
    if phase is Phase.ENDED and end_reason is not None:
        return ENDINGS[end_reason].status
    return Status.RUNNING if started else Status.PENDING
