"""X as a source of XGet: collects through twscrape, parses by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from xget_kernel.clock import Clock, SystemClock
from xget_sources.ports import (
    CollectRequest,
    KnownFields,
    PageToParse,
    Parsed,
    Preview,
    RawPage,
    Session,
    SourceStopped,
    Target,
    TaskTypeSpec,
)
from xget_sources.x import tasks
from xget_sources.x.client import Answer, Ask, XClient
from xget_sources.x.collecting import ROUTE, raw_page, read_pages
from xget_sources.x.cursors import Position
from xget_sources.x.missing import no_post, profile_of, refuse_protected
from xget_sources.x.parser import PARSER_VERSION, parse_page
from xget_sources.x.parser.drift import fields_of_page, known_fields
from xget_sources.x.parser.timeline import read_timeline
from xget_sources.x.parser.users import user_id
from xget_sources.x.plans import plan_for
from xget_sources.x.preview import preview_of
from xget_sources.x.targets import targets_of


class XSource:
    """`xget_sources.ports.Source` for X (x.com). Use it from one event loop and close it."""

    platform = "x"
    route = ROUTE
    parser_version = PARSER_VERSION
    needs_account = True
    task_types: Mapping[str, TaskTypeSpec] = tasks.TASK_TYPES
    aliases: Mapping[str, str] = tasks.ALIASES

    def __init__(self, clock: Clock | None = None) -> None:
        self._client = XClient(clock or SystemClock())

    def targets(self, task_type: str, parameters: Mapping[str, Any]) -> Iterator[Target]:
        """Each user, post, list, community, query or hashtag on its own. Raises SourceStopped."""
        return targets_of(self._parameters(task_type, parameters))

    def preview(self, task_type: str, parameters: Mapping[str, Any]) -> Preview:
        """What X would be asked. Raises SourceStopped."""
        return preview_of(self._parameters(task_type, parameters))

    async def collect(self, request: CollectRequest, session: Session, cursor: str | None) -> AsyncIterator[RawPage]:
        """Pages of a task from a cursor on, each with a lease of its own. Raises NoAccount, SourceStopped."""
        task_type = self.aliases.get(request.task_type, request.task_type)
        params = self._parameters(request.task_type, request.parameters)
        if isinstance(params, tasks.Search):
            params = params.within(request.since, request.until)
        position = Position.decode(cursor)
        if isinstance(params, tasks.TweetDetail):
            async for page in self._post(session, params, position):
                yield page
            return
        if isinstance(params, tasks.UserInfo):
            yield await self._user(session, params, position)
            return
        if isinstance(params, tasks.OfUser) and position.uid is None:
            if params.user_id is None:
                page, position = await self._look_up(session, params)
                yield page
            else:
                position = Position(uid=params.user_id, cursor=position.cursor)
        async for page in read_pages(self._client, session, plan_for(params, task_type, position.uid), position):
            yield page

    def parse(self, page: PageToParse) -> Parsed:
        """Everything the page holds, as items and authors; what is no item is rejected with a reason."""
        return parse_page(page)

    def fields(self, page: PageToParse) -> Mapping[str, frozenset[str]]:
        """The page's fields by shape; none of a body that is no JSON."""
        return fields_of_page(page)

    def known_fields(self) -> KnownFields:
        """The fields that this version of the parser was written for."""
        return known_fields()

    async def close(self) -> None:
        """Close pooled connections."""
        await self._client.close()

    def _parameters(self, task_type: str, given: Mapping[str, Any]) -> tasks.Params:
        task_type = self.aliases.get(task_type, task_type)
        spec = self.task_types.get(task_type)
        if spec is None:
            raise SourceStopped("source_error", f"X has no task type {task_type}.")
        try:
            params = spec.parameters.model_validate(dict(given))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise SourceStopped(
                "source_error", f"The parameters of {task_type} are not valid: {first['msg']}."
            ) from error
        assert isinstance(params, tasks.Params)  # noqa: S101 - all of ours are
        return params

    async def _user(self, session: Session, params: tasks.UserInfo, position: Position) -> RawPage:
        answer, subject = await self._profile(session, params)
        native_id = user_id(profile_of(answer.payload, subject))
        return raw_page(answer, [f"x:user:{native_id}"], position, None, "exhausted")

    async def _look_up(self, session: Session, params: tasks.OfUser) -> tuple[RawPage, Position]:
        """The user's number by name, as a page that counts nothing; the position after it starts the timeline."""
        answer, subject = await self._profile(session, params)
        profile = profile_of(answer.payload, subject)
        refuse_protected(profile, subject)
        following = Position(uid=user_id(profile))
        return raw_page(answer, [], Position(), following, None, counts=False), following

    async def _profile(self, session: Session, params: tasks.OfUser) -> tuple[Answer, str]:
        username, number = params.username, params.user_id
        if number is not None:
            by_number: Ask = lambda api: api.user_by_id_raw(int(number))  # noqa: E731 - a named callable reads better
            return await self._client.ask(session, by_number), f"user {number}"
        return await self._client.ask(session, lambda api: api.user_by_login_raw(username)), f"user @{username}"

    async def _post(self, session: Session, params: tasks.TweetDetail, position: Position) -> AsyncIterator[RawPage]:
        """The post's page; when the post itself is not on it, what is there is kept before the end is told."""
        answer = await self._client.ask(session, lambda api: api.tweet_details_raw(int(params.tweet_id)))
        shown = {entry.id for entry in read_timeline(answer.payload).entries if entry.kind == "post"}
        found = [f"x:{params.tweet_id}"] if params.tweet_id in shown else []
        if shown:
            yield raw_page(answer, found, position, None, "exhausted" if found else None)
        if not found:
            raise no_post(answer.payload, params.tweet_id)
