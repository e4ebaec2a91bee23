"""X's official API as a source of XGet."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from msgspec import structs
from pydantic import ValidationError

from xget_kernel.clock import Clock, SystemClock
from xget_sources.ports import (
    CollectRequest,
    Counted,
    KnownFields,
    NotOffered,
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
from xget_sources.x.parser.values import as_id
from xget_sources.x.preview import preview_of
from xget_sources.x.targets import targets_of
from xget_sources.x_api.client import ApiClient
from xget_sources.x_api.collecting import ROUTE, missing, raw_page, read_pages
from xget_sources.x_api.counting import count_posts
from xget_sources.x_api.declared import TASK_TYPES
from xget_sources.x_api.drift import fields_of_page, known_fields
from xget_sources.x_api.parser import PARSER_VERSION, parse_page, results
from xget_sources.x_api.plans import asked_of, not_offered, plan_for, single, troubles
from xget_sources.x_api.positions import Position


class XApiSource:
    """`xget_sources.ports.Source` for X's API v2. Use it from one event loop and close it."""

    platform = "x"
    route = ROUTE
    parser_version = PARSER_VERSION
    needs_account = True
    task_types: Mapping[str, TaskTypeSpec] = TASK_TYPES
    aliases: Mapping[str, str] = tasks.ALIASES

    def __init__(self, clock: Clock | None = None) -> None:
        self._client = ApiClient(clock or SystemClock())

    def targets(self, task_type: str, parameters: Mapping[str, Any]) -> Iterator[Target]:
        """The same as the session route's, so that either can go on for the other. Raises SourceStopped."""
        return targets_of(self._parameters(task_type, parameters))

    def preview(self, task_type: str, parameters: Mapping[str, Any]) -> Preview:
        """What X's API would be asked. Raises SourceStopped, NotOffered for what the API cannot be asked."""
        params = self._parameters(task_type, parameters)
        spec = self.task_types[self.aliases.get(task_type, task_type)]
        if not isinstance(params, tasks.Search):
            return preview_of(spec, params)
        first = [self._parameters(spec.name, target.parameters) for target in _some(targets_of(params))]
        asks = [asked_of(one).text for one in first if isinstance(one, tasks.Search)]
        return structs.replace(preview_of(spec, params), asks=asks)

    async def count(self, task_type: str, parameters: Mapping[str, Any], session: Session) -> Counted:
        """How many posts a search has. Raises NoAccount, NotOffered, SourceStopped."""
        params = self._parameters(task_type, parameters)
        if not isinstance(params, tasks.Search):
            raise NotOffered("X's API counts the posts of searches only.")
        spec = self.task_types[self.aliases.get(task_type, task_type)]
        each = (self._parameters(spec.name, target.parameters) for target in targets_of(params))
        return await count_posts(self._client, session, (one for one in each if isinstance(one, tasks.Search)))

    async def collect(self, request: CollectRequest, session: Session, cursor: str | None) -> AsyncIterator[RawPage]:
        """Pages of a task about one target from a cursor on, each with a lease of its own.

        Raises NoAccount, NotOffered, SourceStopped.
        """
        params = self._parameters(request.task_type, request.parameters)
        if params.plural is not None:
            raise SourceStopped("source_error", "X's API is asked for one target at a time: `targets` names them.")
        task_type = self.aliases.get(request.task_type, request.task_type)
        timed = {name: getattr(params, name, None) for name in ("since", "until")}
        request = structs.replace(request, parameters=timed)
        async with aclosing(self._pages(task_type, params, session, request, Position.decode(cursor))) as pages:
            async for page in pages:
                yield page

    async def _pages(
        self, task_type: str, params: tasks.Params, session: Session, request: CollectRequest, position: Position
    ) -> AsyncGenerator[RawPage]:
        if isinstance(params, tasks.TweetDetail):
            async for page in self._post(session, params.tweet_id or "", position, again=request.again):
                yield page
            return
        if isinstance(params, tasks.UserInfo):
            yield await self._user(session, params, position, "exhausted")
            return
        if isinstance(params, tasks.OfUser) and position.uid is None:
            if params.user_id is None:
                page = await self._user(session, params, position, None)
                position = Position.decode(page.cursor_out)
                yield page
            else:
                position = structs.replace(position, uid=params.user_id)
        plan = plan_for(params, task_type, position.uid)
        async for page in read_pages(self._client, session, plan, request, position):
            yield page

    async def _user(self, session: Session, params: tasks.OfUser, position: Position, end: str | None) -> RawPage:
        """A profile: the answer itself, or with no `end` only the number that a name has."""
        number, name = params.user_id, params.username
        call = (
            single("findUserById", f"users/{number}", "users")
            if number is not None
            else single("findUserByUsername", f"users/by/username/{name}", "users")
        )
        answer = await self._client.ask(session, call)
        found = results(answer.payload)
        native_id = as_id(found[0].get("id")) if found else None
        if native_id is None:
            raise missing(troubles(answer.payload) or [{}], f"user {number}" if number else f"user @{name}")
        if end is not None:
            return raw_page(answer, [f"x:user:{native_id}"], position, None, end)
        return raw_page(answer, [], position, Position(uid=native_id), None, counts=False)

    async def _post(
        self, session: Session, tweet_id: str, position: Position, *, again: bool
    ) -> AsyncIterator[RawPage]:
        """A post. `again` keeps an answer without it too, before the end is told, and asks for its last version."""
        answer = await self._client.ask(session, single("findTweetById", f"tweets/{tweet_id}", "posts"))
        found = results(answer.payload)
        if not found:
            if again:
                yield raw_page(answer, [f"x:{tweet_id}"], position, None, None)
            raise missing(troubles(answer.payload) or [{}], f"post {tweet_id}")
        versions = [one for value in found[0].get("edit_history_tweet_ids") or () if (one := as_id(value))]
        last = versions[-1] if again and versions else tweet_id
        yield raw_page(answer, [f"x:{tweet_id}"], position, None, "exhausted" if last == tweet_id else None)
        if last != tweet_id:
            newest = await self._client.ask(session, single("findTweetById", f"tweets/{last}", "posts"))
            if results(newest.payload):
                yield raw_page(newest, [f"x:{last}"], position, None, "exhausted")

    def parse(self, page: PageToParse) -> Parsed:
        """Everything the page holds, as the session route's items and authors."""
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
            raise not_offered(task_type)
        try:
            return tasks.parameters_of(spec, given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise SourceStopped(
                "source_error", f"The parameters of {task_type} are not valid: {first['msg']}."
            ) from error


def _some(targets: Iterator[Target], most: int = 20) -> Iterator[Target]:
    for _, target in zip(range(most), targets, strict=False):
        yield target
