"""Operations answered from the seeded world."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson

from xget_sandbox.graphql.communities import Communities
from xget_sandbox.graphql.conversation import Conversations
from xget_sandbox.graphql.cutting import Asked, Cutter, Handler
from xget_sandbox.graphql.people import People
from xget_sandbox.graphql.posts import PostTimelines
from xget_sandbox.graphql.trends import trends
from xget_sandbox.listings import Listings
from xget_sandbox.paging import Bend, Pagings
from xget_sandbox.source import Json, Tampering, missing
from xget_sandbox.wire.cursors import BadCursor
from xget_sandbox.wire.posts import Renderer
from xget_sandbox.world import World


class WorldSource:
    """Knows every operation by name; variables are those of twscrape's requests."""

    def __init__(self, world: World, pagings: Pagings | None = None) -> None:
        self.world = world
        self.pagings = pagings or Pagings({}, 0, time.time)
        self.listings = Listings(world)
        self.renderer = Renderer(world)
        cutter = Cutter(world, self.listings, self.renderer)
        self.handlers: dict[str, Handler] = {
            **PostTimelines(cutter).handlers(),
            **People(cutter).handlers(),
            **Communities(cutter).handlers(),
            "TweetDetail": Conversations(cutter).answer,
            "GenericTimelineById": self._trends,
        }

    def answer(self, operation: str, variables: Mapping[str, Any], tampering: Tampering) -> bytes | None:
        """See Source."""
        handler = self.handlers.get(operation)
        if handler is None:
            return None
        try:
            return orjson.dumps(handler(variables, self.pagings.bend(operation, tampering)))
        except BadCursor as error:
            return orjson.dumps(missing(214, f"BadRequest: {error}"))

    def _trends(self, asked: Asked, bend: Bend) -> Json:
        return trends(self.world, shown=not bend.empty and not bend.ended and not asked.get("cursor"))
