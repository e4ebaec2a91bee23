"""The targets of a task: each user, post, list, community, query or hashtag on its own."""

from __future__ import annotations

from collections.abc import Iterator

from xget_sources.ports import Target
from xget_sources.x import tasks
from xget_sources.x.queries import query_of

_LIMITS = {"limit", "limit_per_target"}


def targets_of(params: tasks.Params) -> Iterator[Target]:
    """One target for each thing that the parameters name, in their order; one that is named again is left out."""
    if params.plural is None:
        fixed = params.model_dump(mode="json", exclude_none=True, exclude=_LIMITS)
        yield Target(label=label_of(params), parameters=fixed, windowed=params.windowed)
        return
    one, many = params.plural
    fixed = params.model_dump(mode="json", exclude_none=True, exclude={*_LIMITS, many})
    seen: set[str] = set()
    for value in getattr(params, many):
        same = value.casefold() if one in ("username", "hashtag") else value
        if same not in seen:
            seen.add(same)
            label = label_of(params.only(params.plural, value))
            yield Target(label=label, parameters={**fixed, one: value}, windowed=params.windowed)


def label_of(params: tasks.Params) -> str:
    """The one thing that the parameters are about, for people; a search by its query."""
    match params:
        case tasks.Search():
            label = query_of(params)
        case tasks.UserSearch():
            label = f"people {params.query}"
        case tasks.OfUser():
            label = f"@{params.username}" if params.username else f"user {params.user_id}"
        case tasks.OfPost():
            label = f"post {params.tweet_id}"
        case tasks.OfList():
            label = f"list {params.list_id}"
        case tasks.OfCommunity():
            label = f"community {params.community_id}"
        case tasks.Trends():
            label = f"tab {params.category}"
        case tasks.Bookmarks():
            label = "bookmarks"
        case _:
            raise LookupError(f"{type(params).__name__} has no target.")
    return label
