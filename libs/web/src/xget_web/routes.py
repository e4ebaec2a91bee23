"""What the routes of an app look like from outside: templates for metrics, methods for 405."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Scope

UNMATCHED = "unmatched"


class RouteTable:
    """Read lazily from the app's route tree, at the first request."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def template(self, scope: Scope) -> str:
        """The path template of the route that served a request, `unmatched` when there is none."""
        endpoint = scope.get("endpoint")
        return UNMATCHED if endpoint is None else self._templates.get(endpoint, UNMATCHED)

    def methods(self, path: str) -> list[str]:
        """The methods that exist for a path, sorted."""
        found = {m for regex, methods in self._patterns if regex(path) for m in methods}
        return sorted(found)

    @cached_property
    def _templates(self) -> dict[Callable[..., Any], str]:
        contexts = iter_route_contexts(self._app.routes)
        return {c.endpoint: c.path_format for c in contexts if c.endpoint is not None and c.path_format is not None}

    @cached_property
    def _patterns(self) -> list[tuple[Callable[[str], object], set[str]]]:
        contexts = iter_route_contexts(self._app.routes)
        return [(c.path_regex.match, c.methods) for c in contexts if c.methods]
