"""The targets of a task: each user, post, list, community, query or hashtag on its own."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from xget_sources.ports import Target
from xget_sources.x import tasks
from xget_sources.x.queries import hashtag_query, keyword_query


def targets_of(params: BaseModel) -> Iterator[Target]:
    """One target for each thing that the parameters name."""
    single = params.model_dump(mode="json", exclude_none=True, exclude={"limit"})
    yield Target(label=label_of(params), parameters=single)


def label_of(params: BaseModel) -> str:
    """The one thing that the parameters are about, for people."""
    match params:
        case tasks.KeywordSearch():
            label = keyword_query(params)
        case tasks.HashtagSearch():
            label = hashtag_query(params)
        case tasks.OfUser():
            label = f"@{params.username}" if params.username else f"user {params.user_id}"
        case tasks.OfPost() | tasks.TweetDetail():
            label = f"post {params.tweet_id}"
        case tasks.OfList():
            label = f"list {params.list_id}"
        case tasks.CommunityTweets():
            label = f"community {params.community_id}"
        case tasks.Trends():
            label = f"tab {params.category}"
        case _:
            raise LookupError(f"{type(params).__name__} has no target.")
    return label
