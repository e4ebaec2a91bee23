"""`xget tasks create TYPE …`: one subcommand for each task type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from xget_cli.client import Client
from xget_cli.commands.tasks.watch import follow
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json

app = App(name="create", help="Create a task; it starts at once unless --no-start is given.")


@Parameter(name="*")
@dataclass(frozen=True)
class TaskOptions:
    """What every task may say."""

    name: Annotated[str | None, Parameter(help="Name of the task; made from the query when not given.")] = None
    account: Annotated[str | None, Parameter(help="Id of the only account to use.")] = None
    proxy: Annotated[str | None, Parameter(help="Id of the proxy to use.")] = None
    priority: Annotated[int, Parameter(help="1 is first, 10 is last.")] = 5
    start: Annotated[bool, Parameter(help="Start at once.")] = True
    watch: Annotated[bool, Parameter(negative="", help="Show progress until the end.")] = False


@Parameter(name="*")
@dataclass(frozen=True)
class Window:
    """How much, and from when to when."""

    limit: Annotated[int | None, Parameter(help="At most so many matches; all there is when not given.")] = None
    since: Annotated[str | None, Parameter(help="Not older than this date or RFC 3339 time.")] = None
    until: Annotated[str | None, Parameter(help="Older than this date or RFC 3339 time.")] = None


@Parameter(name="*")
@dataclass(frozen=True)
class Kinds:
    """Which kinds of posts count."""

    include_replies: Annotated[bool | None, Parameter(help="Replies too, or not; as X lists them by default.")] = None
    include_retweets: Annotated[bool | None, Parameter(help="Reposts too, or not; as X lists them by default.")] = None


TASK = TaskOptions()
WINDOW = Window()
KINDS = Kinds()


@app.command(name="keyword-search")
def keyword_search(
    query: str,
    *,
    lang: str | None = None,
    product: Literal["Top", "Latest"] | None = None,
    window: Window = WINDOW,
    kinds: Kinds = KINDS,
    task: TaskOptions = TASK,
    common: Common = DEFAULTS,
) -> int:
    """Collect what a search finds, for example: "AI OR 人工智能"."""
    return _create(
        "KEYWORD_SEARCH",
        {"query": query, "lang": lang, "product": product, **vars(window), **vars(kinds)},
        task,
        common,
    )


@app.command(name="hashtag-search")
def hashtag_search(
    hashtag: str,
    *,
    lang: str | None = None,
    product: Literal["Top", "Latest"] | None = None,
    window: Window = WINDOW,
    kinds: Kinds = KINDS,
    task: TaskOptions = TASK,
    common: Common = DEFAULTS,
) -> int:
    """Collect the posts of a hashtag."""
    fields = {"hashtag": hashtag, "lang": lang, "product": product}
    return _create("HASHTAG_SEARCH", {**fields, **vars(window), **vars(kinds)}, task, common)


@app.command(name="user-tweets")
def user_tweets(
    username: str,
    *,
    window: Window = WINDOW,
    kinds: Kinds = KINDS,
    task: TaskOptions = TASK,
    common: Common = DEFAULTS,
) -> int:
    """Collect a user's posts."""
    return _create("USER_TWEETS", {"username": username, **vars(window), **vars(kinds)}, task, common)


@app.command(name="user-info")
def user_info(username: str, *, task: TaskOptions = TASK, common: Common = DEFAULTS) -> int:
    """Collect a user's profile."""
    return _create("USER_INFO", {"username": username}, task, common)


@app.command(name="user-followers")
def user_followers(
    username: str, *, limit: int | None = None, task: TaskOptions = TASK, common: Common = DEFAULTS
) -> int:
    """Collect who follows a user."""
    return _create("USER_FOLLOWERS", {"username": username, "limit": limit}, task, common)


@app.command(name="user-following")
def user_following(
    username: str, *, limit: int | None = None, task: TaskOptions = TASK, common: Common = DEFAULTS
) -> int:
    """Collect whom a user follows."""
    return _create("USER_FOLLOWING", {"username": username, "limit": limit}, task, common)


@app.command(name="tweet-detail")
def tweet_detail(tweet_id: str, *, task: TaskOptions = TASK, common: Common = DEFAULTS) -> int:
    """Collect one post with what X shows around it."""
    return _create("TWEET_DETAIL", {"tweet_id": tweet_id}, task, common)


@app.command(name="tweet-replies")
def tweet_replies(
    tweet_id: str, *, limit: int | None = None, task: TaskOptions = TASK, common: Common = DEFAULTS
) -> int:
    """Collect the direct replies to a post."""
    return _create("TWEET_REPLIES", {"tweet_id": tweet_id, "limit": limit}, task, common)


@app.command(name="user-media")
def user_media(username: str, *, window: Window = WINDOW, task: TaskOptions = TASK, common: Common = DEFAULTS) -> int:
    """Collect a user's posts with photos or videos."""
    return _create("USER_MEDIA", {"username": username, **vars(window)}, task, common)


@app.command(name="list-timeline")
def list_timeline(
    list_id: str, *, limit: int | None = None, task: TaskOptions = TASK, common: Common = DEFAULTS
) -> int:
    """Collect the posts of a list."""
    return _create("LIST_TIMELINE", {"list_id": list_id, "limit": limit}, task, common)


@app.command(name="community-tweets")
def community_tweets(
    community_id: str, *, limit: int | None = None, task: TaskOptions = TASK, common: Common = DEFAULTS
) -> int:
    """Collect the posts in a community."""
    return _create("COMMUNITY_TWEETS", {"community_id": community_id, "limit": limit}, task, common)


@app.command
def retweeters(tweet_id: str, *, limit: int | None = None, task: TaskOptions = TASK, common: Common = DEFAULTS) -> int:
    """Collect who reposted a post."""
    return _create("RETWEETERS", {"tweet_id": tweet_id, "limit": limit}, task, common)


@app.command(name="list-members")
def list_members(list_id: str, *, limit: int | None = None, task: TaskOptions = TASK, common: Common = DEFAULTS) -> int:
    """Collect the members of a list."""
    return _create("LIST_MEMBERS", {"list_id": list_id, "limit": limit}, task, common)


@app.command
def trends(category: str = "trending", *, task: TaskOptions = TASK, common: Common = DEFAULTS) -> int:
    """Collect what is trending now: trending, news, sport or entertainment."""
    return _create("TRENDS", {"category": category}, task, common)


def _create(task_type: str, parameters: dict[str, Any], task: TaskOptions, common: Common) -> int:
    subject = next(iter(parameters.values()))
    body = {
        "task_name": task.name or f"{task_type.lower().replace('_', ' ')}: {subject}"[:200],
        "task_type": task_type,
        "parameters": {name: value for name, value in parameters.items() if value is not None},
        "account_id": task.account,
        "proxy_id": task.proxy,
        "priority": task.priority,
        "immediate": task.start,
    }
    with Client(common.url) as client:
        made = client.post("/api/v1/tasks", {name: value for name, value in body.items() if value is not None})
        if task.watch and task.start:
            return follow(client, made["id"], common)
    if common.json:
        print_json(made)
    else:
        line(f"Created task {made['id']} ({made['status']}). Follow it: xget tasks watch {made['id']}")
    return 0
