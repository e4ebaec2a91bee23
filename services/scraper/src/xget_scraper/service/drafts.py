"""From a request body to a task that may be stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.errors import FieldError, Forbidden
from xget_scraper.errors import InvalidTask
from xget_scraper.ports import Pools
from xget_scraper.schemas.task import TaskWrite
from xget_sources.ports import Source, SourceStopped, TaskTypeSpec

LARGEST_LIMIT: Final = 1_000_000
WRITERS: Final = ("analyst", "operator")


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked wish."""

    owner: str
    pool_owners: list[str]
    task_type: str
    parameters: dict[str, Any]
    limit: int | None
    body: TaskWrite
    routes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Checked:
    """Parameters that a source's task type takes."""

    source: Source
    spec: TaskTypeSpec
    parameters: dict[str, Any]


class Drafts:
    """Checks bodies against the sources and the pools."""

    def __init__(self, sources: Mapping[str, Source], pools: Pools, clock: Clock) -> None:
        self._sources = sources
        self._pools = pools
        self._clock = clock

    async def prepare(self, body: TaskWrite, caller: Caller, owner: str | None = None) -> Draft:
        """Check everything that can be wrong; `owner` is that of an existing task.

        Raises Forbidden (403), InvalidTask (422), Unavailable (503) when a pool must be asked and does not answer.
        """
        caller.require(*WRITERS)
        owner = _owner_of(body, caller, owner)
        checked = self.check(body.platform, body.task_type, body.parameters)
        spec, parameters = checked.spec, checked.parameters
        check_curve(spec, body.reobserve)
        if spec.own_account and body.account_id is None:
            raise InvalidTask.of("account_id", "missing", f"{spec.name} is about an account of yours: say which one.")
        owners = [owner, caller.user_id] if caller.is_admin and caller.user_id != owner else [owner]
        await self._check_pools(body, owners)
        routes, _ = self.routes(checked, body.routes)
        return Draft(owner, owners, spec.name, parameters, parameters.get("limit"), body, routes)

    def check(self, platform: str, task_type: str, parameters: Mapping[str, Any]) -> Checked:
        """The source, the task type and the parameters as JSON values. Raises InvalidTask (422)."""
        source = self._sources.get(platform)
        if source is None:
            known = ", ".join(sorted(self._sources))
            raise InvalidTask.of("platform", "unknown", f"There is no platform {platform!r}; there are: {known}.")
        spec = source.task_types.get(source.aliases.get(task_type, task_type))
        if spec is None:
            known = ", ".join(sorted(source.task_types))
            raise InvalidTask.of("task_type", "unknown", f"There is no task type {task_type!r}; there are: {known}.")
        return Checked(source, spec, check_parameters(spec, parameters, self._clock.now()))

    def routes(self, checked: Checked, wished: Sequence[str] | None) -> tuple[list[str], dict[str, str]]:
        """The routes to ask by, and of those that cannot be asked for this, why. Raises InvalidTask (422)."""
        if not wished:
            return [checked.source.route], {}
        installed = self.installed(checked)
        known = sorted(route for route, one in installed.items() if one.platform == checked.source.platform)
        refusals: dict[str, str] = {}
        for route in wished:
            if route not in known:
                message = f"There is no route {route!r} to {checked.source.platform}; there are: {', '.join(known)}."
                raise InvalidTask.of("routes", "unknown", message)
            try:
                installed[route].preview(checked.spec.name, checked.parameters)
            except SourceStopped as stopped:
                refusals[route] = stopped.detail
        if len(refusals) == len(wished):
            raise InvalidTask.of("routes", "not_offered", " ".join(dict.fromkeys(refusals.values())))
        return list(wished), refusals

    def installed(self, checked: Checked) -> Mapping[str, Source]:
        """Sources by route."""
        found: Mapping[str, Source] = getattr(self._sources, "routes", {checked.source.route: checked.source})
        return found

    async def _check_pools(self, body: TaskWrite, owners: Sequence[str]) -> None:
        if body.account_id is not None and not any(
            [await self._pools.has_account(owner, body.account_id) for owner in owners]
        ):
            raise InvalidTask.of("account_id", "exists", "There is no account with this id.")
        if body.proxy_id is not None and not any(
            [await self._pools.has_proxy(owner, body.proxy_id) for owner in owners]
        ):
            raise InvalidTask.of("proxy_id", "exists", "There is no proxy with this id.")


def check_parameters(spec: TaskTypeSpec, given: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The parameters as JSON values, without those that are not set. Raises InvalidTask with one entry per fault."""
    try:
        parsed = spec.parameters.model_validate(dict(given), context={"now": now})
    except ValidationError as error:
        raise _refused(error) from None
    found = parsed.model_dump(mode="json", exclude_none=True)
    limit = found.get("limit")
    if limit is not None and not 1 <= limit <= LARGEST_LIMIT:
        raise InvalidTask.of("parameters.limit", "range", f"The limit must be between 1 and {LARGEST_LIMIT}.")
    return found


def check_curve(spec: TaskTypeSpec, reobserve: Sequence[int] | None) -> None:
    """Raises InvalidTask for a type whose matches cannot be seen again."""
    if reobserve and spec.seen_again_by is None:
        message = f"{spec.name} finds nothing that can be seen again by its age: only posts can; leave reobserve out."
        raise InvalidTask.of("reobserve", "posts", message)


def _owner_of(body: TaskWrite, caller: Caller, owner: str | None) -> str:
    if owner is not None:
        if body.user_id not in (None, owner):
            raise InvalidTask.of("user_id", "immutable", "The owner of a task cannot be changed.")
        return owner
    if body.user_id is not None and body.user_id != caller.user_id and not caller.is_admin:
        raise Forbidden("Only an administrator may create tasks for another user: leave user_id out.")
    return body.user_id or caller.user_id


def _refused(error: ValidationError) -> InvalidTask:
    found = []
    for entry in error.errors(include_url=False, include_input=False, include_context=False)[:50]:
        field = ".".join(["parameters", *(str(part) for part in entry["loc"])])
        message = str(entry["msg"]).removeprefix("Value error, ")
        found.append(FieldError(field[:200], entry["type"], message if message.endswith(".") else f"{message}."))
    return InvalidTask(f"Field {found[0].field}: {found[0].message}", errors=found)
