"""Tasks that one answer of X is all of: a profile, a post, a community."""

from __future__ import annotations

from collections.abc import AsyncIterator

from xget_sources.ports import RawPage, Session
from xget_sources.x import tasks
from xget_sources.x.client import Answer, Ask, XClient
from xget_sources.x.collecting import raw_page
from xget_sources.x.cursors import Position
from xget_sources.x.missing import no_post, no_timeline, profile_of
from xget_sources.x.parser.extras import edit_of
from xget_sources.x.parser.timeline import read_timeline
from xget_sources.x.parser.users import screen_name, user_id
from xget_sources.x.parser.values import as_dict, as_id, as_text, dig


async def ask_profile(client: XClient, session: Session, params: tasks.OfUser) -> tuple[Answer, str]:
    """A user's profile by name or number, and what to call the user."""
    username, number = params.username, params.user_id
    if number is not None:
        by_number: Ask = lambda api: api.user_by_id_raw(int(number))  # noqa: E731 - a named callable reads better
        return await client.ask(session, by_number), f"user {number}"
    return await client.ask(session, lambda api: api.user_by_login_raw(username)), f"user @{username}"


async def read_user(
    client: XClient, session: Session, params: tasks.UserInfo, position: Position
) -> AsyncIterator[RawPage]:
    """The user's profile. Raises SourceStopped when there is none."""
    answer, subject = await ask_profile(client, session, params)
    native_id = user_id(profile_of(answer.payload, subject))
    yield raw_page(answer, [f"x:user:{native_id}"], position, None, "exhausted")


async def read_about(
    client: XClient, session: Session, params: tasks.UserAbout, position: Position
) -> AsyncIterator[RawPage]:
    """What X says about an account; X asks for its name, so a number is looked up first."""
    name = params.username or position.name
    if name is None:
        answer, subject = await ask_profile(client, session, params)
        following = Position(name=screen_name(profile_of(answer.payload, subject)))
        yield raw_page(answer, [], position, following, None, counts=False)
        position, name = following, following.name
    answer = await client.ask(session, lambda api: api.user_about_raw(name))
    native_id = user_id(profile_of(answer.payload, f"user @{name}"))
    yield raw_page(answer, [f"x:user:{native_id}"], position, None, "exhausted")


async def read_post(
    client: XClient, session: Session, params: tasks.TweetDetail, position: Position, *, again: bool = False
) -> AsyncIterator[RawPage]:
    """The post's page; when the post itself is not on it, what is there is kept before the end is told.

    A later version of the post answers for it. `again` keeps an answer without it too, and asks for the last version.
    """
    tweet_id = params.tweet_id or ""
    answer = await client.ask(session, lambda api: api.tweet_details_raw(int(tweet_id)))
    shown = _versions(answer)
    found = tweet_id if tweet_id in shown else next((one for one, ids in shown.items() if tweet_id in ids), None)
    if found is None:
        if shown or again:
            yield raw_page(answer, [f"x:{tweet_id}"] if again else [], position, None, None)
        raise no_post(answer.payload, tweet_id)
    last = shown[found][-1] if again and shown[found] else found
    yield raw_page(answer, [f"x:{found}"], position, None, "exhausted" if last == found else None)
    if last != found:
        newest = await client.ask(session, lambda api: api.tweet_details_raw(int(last)))
        if last in _versions(newest):
            yield raw_page(newest, [f"x:{last}"], position, None, "exhausted")


def _versions(answer: Answer) -> dict[str, list[str]]:
    """The posts of a page, each with the ids of its versions, oldest first, as far as X says."""
    entries = [entry for entry in read_timeline(answer.payload).entries if entry.kind == "post"]
    return {entry.id: edit_of(entry.record.get("edit_control")).get("ids", []) for entry in entries}


async def read_community(
    client: XClient, session: Session, params: tasks.OfCommunity, position: Position
) -> AsyncIterator[RawPage]:
    """What X says about a community. Raises SourceStopped when it is not there or not for this account."""
    community_id = params.community_id or ""
    answer = await client.ask(session, lambda api: api.community_info_raw(int(community_id)))
    result = as_dict(dig(answer.payload, "data", "communityResults", "result"))
    native_id = as_id(result.get("rest_id")) or as_id(result.get("id_str"))
    if native_id is None or as_text(result.get("name")) is None:
        raise no_timeline(answer.payload, f"community {community_id}")
    yield raw_page(answer, [f"x:community:{native_id}"], position, None, "exhausted")
