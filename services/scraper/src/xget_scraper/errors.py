"""What the scraper says no with."""

from __future__ import annotations

from xget_kernel.errors import Conflict, FieldError, Invalid, NotFound


class TaskNotFound(NotFound):
    code = "task_not_found"
    title = "No such task"

    def __init__(self) -> None:
        super().__init__("There is no task with this id, or it is not yours.")


class ExecutionNotFound(NotFound):
    code = "execution_not_found"
    title = "No such execution"

    def __init__(self) -> None:
        super().__init__("There is no execution with this id, or it is not yours.")


class TaskAlreadyRunning(Conflict):
    code = "task_already_running"
    title = "The task is running"

    def __init__(self, task_id: str) -> None:
        super().__init__(
            "The task is queued or running already: wait for its end, "
            f"or stop it first: POST /api/v1/tasks/{task_id}/stop."
        )


class TaskBusy(Conflict):
    code = "task_busy"
    title = "The task is running"

    def __init__(self, task_id: str, wish: str) -> None:
        super().__init__(
            f"A task that is queued or running cannot be {wish}; stop it first: POST /api/v1/tasks/{task_id}/stop."
        )


class TaskNotRunning(Conflict):
    code = "task_not_running"
    title = "The task is not running"

    def __init__(self) -> None:
        super().__init__(
            "The task is neither queued nor running, and nothing of it is observed: there is nothing to stop."
        )


class NotEndedYet(Conflict):
    code = "execution_not_ended"
    title = "The execution has not ended"

    def __init__(self) -> None:
        super().__init__("The execution has not ended yet: its certificate is written when every page is stored.")


class NothingMissing(Conflict):
    code = "nothing_missing"
    title = "Nothing is missing"

    def __init__(self) -> None:
        super().__init__("The task's last run has no gap and no target that failed: there is nothing to fill in.")


class TaskChanged(Conflict):
    code = "task_changed"
    title = "The task is another one"

    def __init__(self, task_id: str) -> None:
        super().__init__(
            "What the task wants was changed since its last run, or that run is from a release without gaps: "
            f"start it anew instead: POST /api/v1/tasks/{task_id}/start."
        )


class InvalidTask(Invalid):
    code = "invalid"
    title = "Invalid request"

    @classmethod
    def of(cls, field: str, rule: str, message: str) -> InvalidTask:
        """One wrong field."""
        return cls(message, errors=[FieldError(field, rule, message)])
