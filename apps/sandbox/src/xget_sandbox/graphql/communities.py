"""Communities: what they are, who is in them, what is written there."""

from __future__ import annotations

from xget_sandbox.graphql.cutting import USERS_PER_PAGE, Asked, Cutter, Entry, Handler, number
from xget_sandbox.paging import Bend
from xget_sandbox.source import Json
from xget_sandbox.wire.communities import belonging, render_community, render_member, render_slice, wrapped
from xget_sandbox.wire.cursors import encode
from xget_sandbox.wire.timelines import instructions, tweet_item
from xget_sandbox.world.communities import Community
from xget_sandbox.world.model import Post

SLICES = {"membersSliceTimeline_Query": "members", "moderatorsSliceTimeline_Query": "moderators"}
GONE = ("suspended", "removed")
UNAVAILABLE: Json = {"__typename": "CommunityUnavailable", "reason": "Unavailable"}


class Communities:
    """The four operations."""

    def __init__(self, cutter: Cutter) -> None:
        self.cutter = cutter
        self.world = cutter.world

    def handlers(self) -> dict[str, Handler]:
        """By operation."""
        return {
            "CommunityQuery": self._info,
            "CommunityTweetsTimeline": self._posts,
            **{operation: self._people(operation) for operation in SLICES},
        }

    def _refused(self, asked: Asked) -> Json | Community:
        """The community, or what X says for one that is not there or closed to others."""
        found = self.world.communities.get(number(asked.get("communityId")))
        if found is None:
            return {"data": {"communityResults": {}}}
        return found if found.open else {"data": {"communityResults": {"result": UNAVAILABLE}}}

    def _info(self, asked: Asked, bend: Bend) -> Json:
        found = self.world.communities.get(number(asked.get("communityId")))
        if found is None:
            return {"data": {"communityResults": {}}}
        return wrapped(found, render_community(self.world, found))

    def _people(self, operation: str) -> Handler:
        part = SLICES[operation]

        def answer(asked: Asked, bend: Bend) -> Json:
            found = self._refused(asked)
            if isinstance(found, dict):
                return found
            rows = found.members if part == "members" else found.moderators
            listing = f"{part}:{found.id}"
            _, shown, after, size = self.cutter.slice(rows, listing, asked, bend, count=USERS_PER_PAGE)
            there = [author for one in shown if (author := self.world.authors[one]).standing not in GONE]
            items = [render_member(self.world, found, author) for author in there]
            more = encode(listing, after, "token") if after.offset < size else None
            return wrapped(found, {f"{part}_slice": render_slice(items, more)})

        return answer

    def _posts(self, asked: Asked, bend: Bend) -> Json:
        found = self._refused(asked)
        if isinstance(found, dict):
            return found
        home = found

        def entry(post: Post) -> Entry:
            rendered = self.cutter.renderer.render(post)
            if not self.world.rich:
                rendered["community_results"] = belonging(home)
            return f"tweet-{post.id}", tweet_item(rendered, "suggest_community_tweet")

        rows = self.cutter.listings.of_community(home.id)
        page = self.cutter.cut(rows, f"community:{home.id}", asked, bend, entry)
        timeline = {"timeline": {"instructions": instructions(page, "timeline")}}
        return wrapped(home, {"ranked_community_timeline": timeline})
