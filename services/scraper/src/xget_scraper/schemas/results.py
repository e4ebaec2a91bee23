"""Bodies of stored items, as the storage service documents them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

Role = Literal["match", "context", "all"]


class ResultsRead(BaseModel):
    """A piece of a task's results, oldest sighting first."""

    items: list[dict[str, Any]]
    next_cursor: str | None
    total: int = Field(description="All items of the task, counted with the first piece.")
    matched: int = Field(description="Those that answer the task.")


class FoundRead(BaseModel):
    """A piece of what a search found, best first."""

    items: list[dict[str, Any]]
    next_cursor: str | None
    total: int
