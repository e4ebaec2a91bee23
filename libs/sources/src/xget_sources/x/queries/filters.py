"""What narrows a search of X, whatever it looks for."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from xget_sources.x.fields import MAX_WORDS, Count, Distance, Lang, NativeId, Product, Text, Username
from xget_sources.x.params import InWindow

Users = Annotated[list[Username], Field(min_length=1, max_length=MAX_WORDS)]
OnlyOrNone = Literal["only", "none"]


class Filtered(InWindow):
    """Operators of X's search, as parameters; all of them hold together."""

    from_users: Users | None = Field(default=None, description="Written by any of these users.")
    to_users: Users | None = Field(default=None, description="Answers to any of these users.")
    mentions: Users | None = Field(default=None, description="Mentions any of these users.")
    lang: Lang | None = Field(default=None, description="Language that X sees in the post: en, zh, ja…")
    since_id: NativeId | None = Field(default=None, description="Posts with a higher number than this one.")
    max_id: NativeId | None = Field(default=None, description="Posts with this number or a lower one.")
    min_likes: Count | None = Field(default=None, description="At least so many likes.")
    min_retweets: Count | None = Field(default=None, description="At least so many reposts.")
    min_replies: Count | None = Field(default=None, description="At least so many answers.")
    has: Annotated[list[Literal["media", "images", "videos", "links"]], Field(min_length=1, max_length=4)] | None = (
        Field(default=None, description="Carries all of these.")
    )
    replies: OnlyOrNone | None = Field(default=None, description="Only answers to posts, or none.")
    retweets: OnlyOrNone | None = Field(default=None, description="Only reposts, or none.")
    quotes: OnlyOrNone | None = Field(default=None, description="Only quotes, or none.")
    near: Annotated[Text, Field(max_length=100)] | None = Field(default=None, description="Written near this place.")
    near_within: Distance | None = Field(default=None, description="How near: 15km, 10mi.")
    in_list: NativeId | None = Field(default=None, description="Written by members of this list.")
    in_conversation: NativeId | None = Field(default=None, description="Of the conversation that this post began.")

    product: Product = Field(
        default="Latest",
        description="Which tab of X's search: Latest is all, newest first; Top and Media are X's choice of it.",
    )

    @property
    def no_replies(self) -> bool:
        """Answers to posts are unwanted."""
        return super().no_replies or self.replies == "none"

    @property
    def no_retweets(self) -> bool:
        """Reposts are unwanted."""
        return super().no_retweets or self.retweets == "none"

    @model_validator(mode="after")
    def _filters_agree(self) -> Self:
        for kind, include in (("replies", self.include_replies), ("retweets", self.include_retweets)):
            wish = getattr(self, kind)
            if wish and include is not None and include != (wish == "only"):
                raise ValueError(f"{kind} and include_{kind} contradict each other: leave one of them out")
        if self.since_id and self.max_id and int(self.since_id) >= int(self.max_id):
            raise ValueError("since_id must be below max_id")
        if self.near_within and not self.near:
            raise ValueError("near_within needs near")
        if self.near and '"' in self.near:
            raise ValueError("near must not contain quotes")
        return self
