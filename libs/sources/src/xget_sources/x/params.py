"""What the parameters of all task types have in common: a limit, one or many targets, a window of time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationInfo, model_validator

from xget_sources.x.fields import MAX_LIMIT, MAX_TARGETS, Moment

Limit = Annotated[StrictInt, Field(ge=1, le=MAX_LIMIT)]
Many = Field(min_length=1, max_length=MAX_TARGETS)
"""Length of a list of targets."""


class Params(BaseModel):
    """Parameters of every task type; unknown names are refused."""

    model_config = ConfigDict(extra="forbid")
    FORMS: ClassVar[Mapping[str, str]] = {}
    """Ways to say what the task is about: the parameter for one target and its list for many. One of all is given."""

    limit: Limit | None = Field(default=None, description="How many results at most; nothing means all there are.")

    @property
    def plural(self) -> tuple[str, str] | None:
        """The name for one target and that of the given list; None when one target is given."""
        return next(((one, many) for one, many in self.FORMS.items() if getattr(self, many) is not None), None)

    @property
    def windowed(self) -> bool:
        """Newest first and narrowable in time, to be collected window by window."""
        return False

    def only(self, plural: tuple[str, str], value: Any) -> Self:
        """The same wish for one target of the list that `plural` names."""
        one, many = plural
        return self.model_copy(update={one: value, many: None, "limit": None, "limit_per_target": None})

    def given(self) -> int:
        """How many ways to say what the task is about are used."""
        names = [*self.FORMS, *self.FORMS.values()]
        return sum(getattr(self, name) is not None for name in names)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.FORMS and self.given() != 1:
            *some, last = [name for pair in self.FORMS.items() for name in pair]
            raise ValueError(f"give one of {', '.join(some)} or {last}")
        return self


class Targeted(Params):
    """A task that may have several targets."""

    limit_per_target: Limit | None = Field(
        default=None, description="How many results at most of each user, post, list, community, query or hashtag."
    )


class Timed(Targeted):
    """A task that can be narrowed in time."""

    since: Moment = Field(default=None, description="Earliest time, included; a day means its first second, UTC.")
    until: Moment = Field(default=None, description="Latest time, excluded; a day means its first second, UTC.")

    @property
    def no_replies(self) -> bool:
        """Answers to posts are unwanted."""
        return False

    @property
    def no_retweets(self) -> bool:
        """Reposts are unwanted."""
        return False

    def within(self, since: datetime | None, until: datetime | None) -> Self:
        """The same wish in the part of its time that lies between the two."""
        earliest = max((moment for moment in (self.since, since) if moment), default=None)
        latest = min((moment for moment in (self.until, until) if moment), default=None)
        return self.model_copy(update={"since": earliest, "until": latest})

    @model_validator(mode="after")
    def _in_order(self, info: ValidationInfo) -> Self:
        """With `now` in the context, as for a new task, a window that has not begun is refused too."""
        if self.since and self.until and self.since >= self.until:
            raise ValueError("since must be before until")
        now = info.context.get("now") if info.context else None
        if now and self.since and self.since > now:
            raise ValueError("since must not lie in the future: there are no posts yet")
        return self


class InWindow(Timed):
    """A task that can be narrowed in time and kind."""

    include_replies: StrictBool | None = Field(default=None, description="False leaves out answers to posts.")
    include_retweets: StrictBool | None = Field(default=None, description="False leaves out reposts.")

    @property
    def no_replies(self) -> bool:
        """Answers to posts are unwanted."""
        return self.include_replies is False

    @property
    def no_retweets(self) -> bool:
        """Reposts are unwanted."""
        return self.include_retweets is False
