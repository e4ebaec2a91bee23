"""X as a source of XGet: collects through twscrape, parses by itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from msgspec import structs
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
from xget_sources.x.client import XClient
from xget_sources.x.collecting import ROUTE, raw_page, read_pages
from xget_sources.x.cursors import CursorRefused, Position
from xget_sources.x.missing import Unexplained, profile_of, refuse_protected
from xget_sources.x.parser import PARSER_VERSION, parse_page
from xget_sources.x.parser.drift import fields_of_page, known_fields
from xget_sources.x.parser.users import user_id
from xget_sources.x.plans import plan_for
from xget_sources.x.preview import preview_of
from xget_sources.x.single import ask_profile, read_about, read_community, read_post, read_user
from xget_sources.x.targets import targets_of
from xget_sources.x.threads import read_thread


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
        spec = self.task_types[self.aliases.get(task_type, task_type)]
        return preview_of(spec, self._parameters(task_type, parameters))

    async def collect(self, request: CollectRequest, session: Session, cursor: str | None) -> AsyncIterator[RawPage]:
        """Pages of a task about one target from a cursor on, each with a lease of its own.

        Raises NoAccount, SourceStopped.
        """
        params = self._parameters(request.task_type, request.parameters)
        if params.plural is not None:
            raise SourceStopped("source_error", "X is asked for one target at a time: `targets` names them.")
        if isinstance(params, tasks.Search) and params.windowed:
            params = params.within(request.since, request.until)
        position = Position.decode(cursor)
        task_type = self.aliases.get(request.task_type, request.task_type)
        narrows = isinstance(params, tasks.Search) and params.windowed  # its rest is a window, and not read twice
        while True:
            try:
                async with aclosing(self._pages(task_type, params, session, position, again=request.again)) as pages:
                    async for page in pages:
                        position = Position.decode(page.cursor_out)
                        yield page
                return
            except CursorRefused as refused:
                if narrows:
                    raise
                position = position.begun_again(refused)

    async def _pages(
        self, task_type: str, params: tasks.Params, session: Session, position: Position, *, again: bool
    ) -> AsyncGenerator[RawPage]:
        client = self._client
        match params:
            case tasks.TweetDetail():
                pages = read_post(client, session, params, position, again=again)
            case tasks.UserInfo():
                pages = read_user(client, session, params, position)
            case tasks.UserAbout():
                pages = read_about(client, session, params, position)
            case tasks.OfCommunity() if task_type == "COMMUNITY_INFO":
                pages = read_community(client, session, params, position)
            case tasks.TweetThread():
                plan = plan_for(params, task_type, None)
                pages = read_thread(client, session, plan, params.tweet_id or "", position)
            case _:
                if isinstance(params, tasks.OfUser) and position.uid is None:
                    if params.user_id is None:
                        page, position = await self._look_up(session, params)
                        yield page
                    else:
                        position = structs.replace(position, uid=params.user_id)
                pages = read_pages(client, session, plan_for(params, task_type, position.uid), position)
        try:
            async for page in pages:
                yield page
        except Unexplained:
            if isinstance(params, tasks.OfUser) and position.uid is not None:
                await self._refuse_unseen(session, position.uid)
            raise

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
            return tasks.parameters_of(spec, given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise SourceStopped(
                "source_error", f"The parameters of {task_type} are not valid: {first['msg']}."
            ) from error

    async def _refuse_unseen(self, session: Session, uid: str) -> None:
        """Why X shows nothing (more) of a user, as the profile tells. Raises SourceStopped when it does."""
        answer, subject = await ask_profile(self._client, session, tasks.OfUser(user_id=uid))
        refuse_protected(profile_of(answer.payload, subject), subject)

    async def _look_up(self, session: Session, params: tasks.OfUser) -> tuple[RawPage, Position]:
        """The user's number by name, as a page that counts nothing; the position after it starts the timeline."""
        answer, subject = await ask_profile(self._client, session, params)
        profile = profile_of(answer.payload, subject)
        refuse_protected(profile, subject)
        following = Position(uid=user_id(profile))
        return raw_page(answer, [], Position(), following, None, counts=False), following
