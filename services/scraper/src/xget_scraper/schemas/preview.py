"""Bodies of previews: what a task would ask, before it is made."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field

from xget_scraper.schemas.ages import Curve
from xget_scraper.schemas.task import RefId, Routes
from xget_web.types import Body, text


class PreviewWrite(Body):
    """What a user thinks of asking. `parameters` are those of the task type; an unknown one is refused."""

    task_type: Annotated[str, text(40, min_length=1)] = Field(description="What to collect.")
    platform: Annotated[str, text(20, min_length=1)] = Field("x", description="Where to collect.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Parameters of the task type.")
    reobserve: Curve | None = Field(None, description="Ages at which the posts found would be seen again.")
    routes: Routes | None = Field(None, description="Routes to the platform, the preferred one first.")
    account_id: RefId | None = Field(None, description="Use only this account.")


class EstimateRead(BaseModel):
    """How much it takes. null: nobody can know before the run."""

    requests_at_least: int = Field(description="Requests that are made in any case.")
    requests: int | None = Field(description="Requests when every page is full; null: there is no limit to go by.")
    pages: int | None = Field(description="Pages of results among them.")
    seconds: int | None = Field(description="Time that takes, waits for rate limits included.")
    again: int | None = Field(
        description="Requests more at most to see the posts again at each age; null: there is no limit to go by."
    )
    accounts: int | None = Field(description="Accounts that may work for it; null: the account service is silent.")
    sentence: str


class ExpectedRead(BaseModel):
    """What a route on which every result costs will read. null: it could not be counted; the sentence says why."""

    route: str
    posts: int | None = Field(description="Posts that the search has now, up to the limit.")
    at_least: bool = Field(description="There are more, which were not counted.")
    pages: int | None
    cost_usd: Decimal | None
    seconds: int | None
    sentence: str


class PreviewRead(BaseModel):
    """What a task with these parameters would ask. Nothing is stored, and nothing was asked but counts of posts."""

    task_type: str
    platform: str
    parameters: dict[str, Any] = Field(description="The parameters as the task would keep them.")
    targets: int = Field(description="Users, posts, lists, communities, queries or hashtags; each once.")
    asks: list[str] = Field(description="What the platform is asked for the first of them: searches by their query.")
    more: int = Field(description="Targets whose asks are left out.")
    operations: list[str] = Field(description="The platform's operations, in the order of their first use.")
    page_size: int | None = Field(description="Results of a full page; null: one page is all there is.")
    warnings: list[str]
    estimate: EstimateRead
    expected: ExpectedRead | None = Field(
        description="By the counts of a route of `routes` that has them (x_api), for a search."
    )
