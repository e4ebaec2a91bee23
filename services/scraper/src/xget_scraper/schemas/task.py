"""Bodies of tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from xget_scraper.models import Execution, Status, Task
from xget_scraper.schemas.ages import Curve, written_all
from xget_scraper.schemas.execution import ExecutionRead, Waiting
from xget_scraper.schemas.segment import Moment
from xget_web.types import Body, text


def _each_once(routes: list[str]) -> list[str]:
    if len(set(routes)) != len(routes):
        raise ValueError("each route once")
    return routes


Routes = Annotated[
    list[Annotated[str, text(40, min_length=1)]], Field(min_length=1, max_length=8), AfterValidator(_each_once)
]
RefId = Annotated[str, text(64, min_length=1)]


class TaskWrite(Body):
    """What a user wants. `parameters` are those of the task type; an unknown one is refused."""

    task_name: Annotated[str, text(200, min_length=1)] = Field(description="Name for people.")
    describe: Annotated[str, text(4000, multiline=True)] = Field("", description="Description for people.")
    task_type: Annotated[str, text(40, min_length=1)] = Field(description="What to collect.")
    platform: Annotated[str, text(20, min_length=1)] = Field("x", description="Where to collect.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Parameters of the task type.")
    reobserve: Curve | None = Field(
        None, description="Ages at which the posts found are seen again, growing: 1h, 6h, 1d, 7d, 30d, P1DT12H."
    )
    routes: Routes | None = Field(
        None, description="Routes to the platform, the preferred one first; the next goes on when one is shut."
    )
    account_id: RefId | None = Field(None, description="Use only this account.")
    proxy_id: RefId | None = Field(None, description="Proxy for accounts that have none of their own.")
    user_id: RefId | None = Field(None, description="Owner; another one than the caller is for administrators.")
    priority: int = Field(5, ge=1, le=10, strict=True, description="1 is first, 10 is last.")
    immediate: bool = Field(
        True, strict=True, description="Queue the first execution at once; false waits for POST …/start."
    )


class TaskRead(BaseModel):
    """A task."""

    id: str
    task_name: str
    describe: str
    task_type: str
    platform: str
    parameters: dict[str, Any]
    reobserve: list[str] | None = Field(description="Ages at which the posts found are seen again.")
    routes: list[str] | None = Field(description="Routes to the platform; null: the usual one.")
    account_id: str | None
    proxy_id: str | None
    user_id: str
    priority: int
    immediate: bool
    status: Status
    message: str | None = Field(description="What it does or waits for, as a sentence.")
    waiting: Waiting | None = Field(
        description="What its latest execution waits for, and until when; null while it collects and once it has ended."
    )
    error_message: str | None
    progress: int | None = Field(description="Per cent of the limit; null while it runs without a limit.")
    result_count: int = Field(description="Matches that its latest execution has stored.")
    execution_id: str | None = Field(description="The latest execution.")
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, task: Task) -> Self:
        """The body of a row."""
        own = {name: getattr(task, name) for name in set(cls.model_fields) - {"reobserve"}}
        return cls(**own, reobserve=written_all(task.reobserve))


class TaskStatusRead(BaseModel):
    """How a task is doing."""

    id: str
    status: Status
    progress: int | None
    result_count: int
    message: str | None
    error_message: str | None
    updated_at: Moment
    execution: ExecutionRead | None

    @classmethod
    def of(cls, task: Task, execution: Execution | None) -> Self:
        """The body of a task and its latest execution."""
        return cls(
            id=task.id,
            status=Status(task.status),
            progress=task.progress,
            result_count=task.result_count,
            message=task.message,
            error_message=task.error_message,
            updated_at=task.updated_at,
            execution=ExecutionRead.of(execution) if execution else None,
        )


class BatchAnswer(BaseModel):
    """One element of a batch: created or refused."""

    index: int
    status: int
    task: TaskRead | None = None
    problem: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.task is None) == (self.problem is None):
            raise ValueError("An element is either a task or a problem.")
        return self


class BatchRead(BaseModel):
    """Answers of a batch, in the order of its elements."""

    items: list[BatchAnswer]
    created: int
    refused: int


class ExportWrite(Body):
    """Which file is wanted."""

    format: Literal["jsonl", "csv"] = "jsonl"
    role: Literal["match", "context", "all"] = "all"


class StartWrite(Body):
    """How a task is to be started."""

    goes_on: bool = Field(
        False,
        alias="continue",
        strict=True,
        description="Searches only: begin where complete runs of the same search came to, with an overlap.",
    )


TaskSort = Literal[
    "-created_at", "created_at", "-updated_at", "updated_at", "priority", "-priority", "task_name", "-task_name"
]


class Progress(BaseModel):
    """One event of a task's stream."""

    task_id: str
    execution_id: str | None
    status: Status
    progress: int | None
    result_count: int
    matched: int
    context: int
    limit: int | None
    pages: int
    targets: int
    targets_done: int
    message: str | None
    error_message: str | None
    end_reason: str | None
    resume_at: datetime | None
    waiting: Waiting | None
    updated_at: Moment
