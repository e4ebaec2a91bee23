"""Bodies of observations: what of a task is seen again."""

from __future__ import annotations

from pydantic import BaseModel, Field

from xget_scraper.schemas.segment import Moment


class ObservationsRead(BaseModel):
    """Posts that a task sees again as they grow older."""

    task_id: str
    reobserve: list[str] | None = Field(description="Ages at which posts are seen again; null: none are.")
    posts: int = Field(description="Posts under observation: some age of the curve is still to come.")
    looking: int = Field(description="Those that an execution looks at now.")
    hidden: int = Field(description="Those that the platform did not show last time (withheld, protected, suspended).")
    next_due_at: Moment | None = Field(description="When the next post is due.")
    seen: int = Field(description="Looks that found the post.")
    not_shown: int = Field(description="Looks that found a stand-in for a post that may come back.")
    gone: int = Field(description="Posts that were found deleted: they are not looked at any more.")
    failed: int = Field(description="Looks that failed for another reason; each is made again.")
