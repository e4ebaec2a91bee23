"""Tables of the scraper and the states of an execution."""

from xget_scraper.models.base import IDEMPOTENCY, OUTBOX, Base
from xget_scraper.models.execution import Execution
from xget_scraper.models.page import Certificate, Page
from xget_scraper.models.states import ENDINGS, Move, Phase, Status
from xget_scraper.models.task import Task

__all__ = [
    "ENDINGS",
    "IDEMPOTENCY",
    "OUTBOX",
    "Base",
    "Certificate",
    "Execution",
    "Move",
    "Page",
    "Phase",
    "Status",
    "Task",
]
