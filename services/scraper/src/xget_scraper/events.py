"""Facts that the scraper announces."""

from __future__ import annotations

from xget_contracts.events import ExecutionRequested
from xget_scraper.models import Execution


def execution_requested(execution: Execution) -> ExecutionRequested:
    """An execution waits to be claimed."""
    return ExecutionRequested(
        execution_id=execution.id,
        task_id=execution.task_id,
        priority=execution.priority,
        immediate=execution.immediate,
    )
