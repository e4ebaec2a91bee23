"""Profiles and timelines of users."""

from __future__ import annotations

from xget_sandbox.graphql.cutting import Asked, Cutter, Handler, number
from xget_sandbox.paging import Bend
from xget_sandbox.source import Json
from xget_sandbox.wire.about import about_user
from xget_sandbox.wire.users import profile_user, unavailable
from xget_sandbox.world.model import Author


class People:
    """Everything that is about users."""

    def __init__(self, cutter: Cutter) -> None:
        self.cutter = cutter
        self.world = cutter.world
        self.listings = cutter.listings

    def handlers(self) -> dict[str, Handler]:
        """By operation."""
        related = ("Followers", "Following", "BlueVerifiedFollowers", "UserCreatorSubscriptions")
        return {
            "UserByScreenName": self._by_name,
            "UserByRestId": self._by_id,
            "AboutAccountQuery": self._about,
            "Retweeters": self._retweeters,
            "ListMembers": self._list_members,
            **{name: self._related(name) for name in related},
        }

    def _by_name(self, asked: Asked, bend: Bend) -> Json:
        return self._profile(self.listings.author(str(asked.get("screen_name", ""))))

    def _by_id(self, asked: Asked, bend: Bend) -> Json:
        return self._profile(self.world.authors.get(number(asked.get("userId"))))

    def _profile(self, author: Author | None) -> Json:
        if author is None or author.standing == "removed":
            return {"data": {"user": {}}}
        if author.standing == "suspended":
            return {"data": {"user": {"result": unavailable("Suspended")}}}
        return {"data": {"user": {"result": profile_user(self.world, author)}}}

    def _about(self, asked: Asked, bend: Bend) -> Json:
        author = self.listings.author(str(asked.get("screenName", "")))
        if author is None or author.standing == "removed":
            return {"data": {"user_result_by_screen_name": {}}}
        if author.standing == "suspended":
            return {"data": {"user_result_by_screen_name": {"result": unavailable("Suspended")}}}
        return {"data": {"user_result_by_screen_name": about_user(self.world, author)}}

    def _related(self, operation: str) -> Handler:
        def answer(asked: Asked, bend: Bend) -> Json:
            return self.cutter.owned(
                asked,
                lambda author: self.cutter.users(
                    self.listings.related(operation, author.id), f"{operation}:{author.id}", asked, bend,
                    f"{operation}Sgs",
                ),
            )  # fmt: skip

        return answer

    def _retweeters(self, asked: Asked, bend: Bend) -> Json:
        post_id = number(asked.get("tweetId"))
        rows = self.world.reposters.get(post_id, [])
        made = self.cutter.users(rows, f"retweeters:{post_id}", asked, bend, None, style="token")
        return {"data": {"retweeters_timeline": {"timeline": made | {"responseObjects": {}}}}}

    def _list_members(self, asked: Asked, bend: Bend) -> Json:
        wanted = number(asked.get("listId"))
        if wanted not in self.world.lists:
            return {"data": {"list": {}}}
        made = self.cutter.users(self.world.lists[wanted], f"list:{wanted}", asked, bend, "MembersSgs")
        return {"data": {"list": {"members_timeline": {"timeline": made}}}}
