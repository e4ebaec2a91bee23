"""What a task would ask X, told without asking it."""

from __future__ import annotations

from datetime import UTC, datetime

from xget_sources.ports import Preview, TaskTypeSpec
from xget_sources.x import tasks
from xget_sources.x.queries.reading import oddities
from xget_sources.x.targets import targets_of

MOST_ASKS = 20
_LOOKUPS = ("UserByScreenName", "UserByRestId")
FIRST_POST = datetime(2006, 3, 21, tzinfo=UTC)


def preview_of(spec: TaskTypeSpec, params: tasks.Params) -> Preview:
    """The asks of the first targets, and how many targets there are."""
    asks, count = list[str](), 0
    for target in targets_of(params):
        count += 1
        if count <= MOST_ASKS:
            asks.append(target.label if isinstance(params, tasks.Search) else f"{spec.summary[:-1]}: {target.label}")
    operations = _operations(spec, params)
    looked_up = len(operations) > 1 and operations[0] in _LOOKUPS
    return Preview(
        asks=asks,
        more=count - len(asks),
        targets=count,
        operations=operations,
        page_size=spec.page_size,
        lookups=count if looked_up else 0,
        warnings=_warnings(spec, params, count),
    )


def _operations(spec: TaskTypeSpec, params: tasks.Params) -> list[str]:
    """Those of the type's operations that these parameters need."""
    unused: set[str] = set()
    if isinstance(params, tasks.OfUser):
        by_name = params.username is not None or params.usernames is not None
        unused.add("UserByRestId" if by_name else "UserByScreenName")
    if isinstance(params, tasks.UserTweets):
        unused.add("UserTweets" if params.include_replies else "UserTweetsAndReplies")
    return [operation for operation in spec.operations if operation not in unused]


def _warnings(spec: TaskTypeSpec, params: tasks.Params, targets: int) -> list[str]:
    found: list[str] = []
    if isinstance(params, tasks.Timed):
        if params.until and params.until <= FIRST_POST:
            found.append("X has no posts from before 21 March 2006: this window holds none.")
        if params.until and params.until > datetime.now(UTC):
            found.append("The window ends in the future: posts that are written after the run are not in it.")
    if isinstance(params, tasks.Search) and params.product == "Top":
        found.append("X ranks Top by its own measure and shows a part: take Latest for all there is.")
    if isinstance(params, tasks.Search) and params.product == "Media":
        found.append("X's Media tab shows a part: take Latest with has=media for all there is.")
    if isinstance(params, tasks.UserSearch):
        found.append("X shows those people that it finds fitting: nobody knows whether they are all.")
    if isinstance(params, tasks.KeywordSearch | tasks.UserSearch):
        written = [params.query, *(params.queries or [])[:MOST_ASKS], getattr(params, "keyword", None)]
        found += dict.fromkeys(said for query in written if query for said in oddities(query))
    per_target = params.limit_per_target if isinstance(params, tasks.Targeted) else None
    if params.limit and per_target and per_target * targets < params.limit:
        found.append(f"All targets together can give at most {per_target * targets} results, less than the limit.")
    if params.limit and targets > params.limit:
        found.append("The limit is smaller than the number of targets: the last ones may not be asked for.")
    if spec.own_account:
        found.append("The bookmarks are those of the account that the task names.")
    return found
