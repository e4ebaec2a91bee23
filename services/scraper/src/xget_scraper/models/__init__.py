"""Tables of the scraper and the states of an execution."""

from xget_scraper.models.base import IDEMPOTENCY, OUTBOX, Base
from xget_scraper.models.execution import Execution
from xget_scraper.models.observation import Observation
from xget_scraper.models.page import Certificate, Match, Page
from xget_scraper.models.segment import SOUND, ExecutionTarget, Gap, Mark, Segment, SegmentState
from xget_scraper.models.states import ENDINGS, Move, Phase, Status
from xget_scraper.models.task import Task

__all__ = [
    "ENDINGS",
    "IDEMPOTENCY",
    "OUTBOX",
    "SOUND",
    "Base",
    "Certificate",
    "Execution",
    "ExecutionTarget",
    "Gap",
    "Mark",
    "Match",
    "Move",
    "Observation",
    "Page",
    "Phase",
    "Segment",
    "SegmentState",
    "Status",
    "Task",
]
