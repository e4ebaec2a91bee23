"""Operations answered from the seeded world."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from xget_sandbox.graphql.conversation import conversation
from xget_sandbox.graphql.trends import trends
from xget_sandbox.listings import Listings
from xget_sandbox.paging import Bend, Pagings
from xget_sandbox.source import Json, Tampering, following, missing
from xget_sandbox.wire.cursors import BadCursor, Cursor, Style, decode
from xget_sandbox.wire.posts import Renderer
from xget_sandbox.wire.timelines import Page, Shape, instructions, module, tweet_item, user_item
from xget_sandbox.wire.users import profile_user, unavailable
from xget_sandbox.world import World
from xget_sandbox.world.model import Author, Post

POSTS_PER_PAGE = 20
USERS_PER_PAGE = 50

Entry = tuple[str, Json]
Handler = Callable[[Mapping[str, Any], Bend], Json]


class WorldSource:
    """Knows every operation by name; variables are those of twscrape's requests."""

    def __init__(self, world: World, pagings: Pagings | None = None) -> None:
        self.world = world
        self.pagings = pagings or Pagings({}, 0, time.time)
        self.listings = Listings(world)
        self.renderer = Renderer(world)
        self._handlers: dict[str, Handler] = {
            "SearchTimeline": self._search,
            "UserByScreenName": self._user_by_name,
            "UserByRestId": self._user_by_id,
            "UserTweets": self._user_tweets,
            "UserTweetsAndReplies": self._user_replies,
            "UserMedia": self._user_media,
            "Followers": lambda asked, bend: self._relations("Followers", asked, bend),
            "Following": lambda asked, bend: self._relations("Following", asked, bend),
            "BlueVerifiedFollowers": lambda asked, bend: self._relations("BlueVerifiedFollowers", asked, bend),
            "Retweeters": self._retweeters,
            "ListMembers": self._list_members,
            "ListLatestTweetsTimeline": self._list_posts,
            "TweetDetail": self._detail,
            "GenericTimelineById": self._trends,
        }

    def answer(self, operation: str, variables: Mapping[str, Any], tampering: Tampering) -> bytes | None:
        """See Source."""
        handler = self._handlers.get(operation)
        if handler is None:
            return None
        try:
            return orjson.dumps(handler(variables, self.pagings.bend(operation, tampering)))
        except BadCursor as error:
            return orjson.dumps(missing(214, f"BadRequest: {error}"))

    def _cut(
        self, rows: Sequence[Any], listing: str, asked: Mapping[str, Any], bend: Bend,
        entry: Callable[[Any], Entry], *, style: Style = "token", count: int = POSTS_PER_PAGE,
    ) -> Page:  # fmt: skip
        text = asked.get("cursor")
        cursor = decode(listing, str(text), style) if text else Cursor()
        bent = bend.at(listing, cursor, count, len(rows))
        shown = [] if bent.empty or bent.ended else rows[cursor.offset : cursor.offset + count]
        after = following(cursor, len(shown), bent)
        bend.lead_to(listing, after)
        size = cursor.offset if bent.ended else len(rows)
        return Page(listing, style, cursor, [entry(row) for row in shown], after, size)

    def _post_entry(self, post: Post, component: str = "tweet", *, highlights: bool = False) -> Entry:
        content = tweet_item(self.renderer.post(post.id), component, highlights=highlights)
        return f"tweet-{post.id}", content

    def _user_entry(self, author_id: int, component: str | None) -> Entry:
        return f"user-{author_id}", user_item(self.renderer.user(author_id), component)

    def _search(self, asked: Mapping[str, Any], bend: Bend) -> Json:
        query, product = str(asked.get("rawQuery", "")), str(asked.get("product", "Top"))
        listing = f"search:{product}:{query}"
        if product == "People":
            people = self.listings.people(query)
            page = self._cut(people, listing, asked, bend, lambda row: self._user_entry(row, "people"))
        else:
            found = self.listings.search(query, product)
            component = "latest_nightowl_recency" if product == "Latest" else "result"
            page = self._cut(
                found, listing, asked, bend, lambda row: self._post_entry(row, component, highlights=True)
            )  # fmt: skip
        timeline = {"timeline": {"instructions": instructions(page, "search")}}
        return {"data": {"search_by_raw_query": {"search_timeline": timeline}}}

    def _user_by_name(self, asked: Mapping[str, Any], bend: Bend) -> Json:
        return self._profile(self.listings.author(str(asked.get("screen_name", ""))))

    def _user_by_id(self, asked: Mapping[str, Any], bend: Bend) -> Json:
        return self._profile(self.world.authors.get(_number(asked.get("userId"))))

    def _profile(self, author: Author | None) -> Json:
        if author is None:
            return {"data": {"user": {}}}
        if author.standing == "suspended":
            return {"data": {"user": {"result": unavailable("Suspended")}}}
        return {"data": {"user": {"result": profile_user(self.world, author)}}}

    def _owner(self, author: Author | None, timeline: Callable[[Author], Json]) -> Json:
        """A timeline that belongs to a user, or what X says when it may not be seen."""
        if author is None:
            return {"data": {"user": {}}}
        if author.standing == "suspended":
            return {"data": {"user": {"result": unavailable("Suspended")}}}
        body = {} if author.standing == "protected" else {"timeline": timeline(author)}
        return {"data": {"user": {"result": {"__typename": "User", "timeline": body}}}}

    def _user_tweets(self, asked: Mapping[str, Any], bend: Bend) -> Json:
        def timeline(author: Author) -> Json:
            rows = self.listings.timeline(author.id, replies=False)
            page = self._cut(rows, f"tweets:{author.id}", asked, bend, self._post_entry)
            pinned = self.world.pinned(author.id)
            if page.cursor == Cursor() and not bend.empty and not bend.ended:
                entries = [*page.entries[:4], self._who_to_follow(author), *page.entries[4:]]
                pin = self._pin(pinned) if pinned else None
                page = Page(page.listing, page.style, page.cursor, entries, page.after, page.size, pin)
            made = instructions(page, "timeline")
            return {"instructions": made, "metadata": {"scribeConfig": {"page": "profileBest"}}}

        return self._owner(self.world.authors.get(_number(asked.get("userId"))), timeline)

    def _pin(self, post: Post) -> Entry:
        social = {"contextType": "Pin", "text": "Pinned", "type": "TimelineGeneralContext"}
        return f"tweet-{post.id}", tweet_item(self.renderer.post(post.id), "pinned_tweets", social=social)

    def _who_to_follow(self, author: Author) -> Entry:
        others = [other for other in self.world.following[author.id] if other != author.id][:3]
        items = [(f"user-{other}", user_item(self.renderer.user(other), None)) for other in others]
        entry_id = f"who-to-follow-{author.id}"
        return entry_id, module(entry_id, items, "suggest_who_to_follow", "Vertical")

    def _user_replies(self, asked: Mapping[str, Any], bend: Bend) -> Json:
        def timeline(author: Author) -> Json:
            rows = self.listings.timeline(author.id, replies=True)
            page = self._cut(rows, f"replies:{author.id}", asked, bend, self._threaded)
            return {"instructions": instructions(page, "timeline")}

        return self._owner(self.world.authors.get(_number(asked.get("userId"))), timeline)

    def _threaded(self, post: Post) -> Entry:
        """A reply comes in one module with the post it answers."""
        if post.reply_to is None:
            return self._post_entry(post)
        both = (post.reply_to, post.id)
        items = [(f"tweet-{one}", tweet_item(self.renderer.post(one), "tweet")) for one in both]
        entry_id = f"profile-conversation-{post.id}"
        return entry_id, module(entry_id, items, "suggest_ranked_organic_tweet", "VerticalConversation")

    def _user_media(self, asked: Mapping[str, Any], bend: Bend) -> Json:
        def timeline(author: Author) -> Json:
            rows = self.listings.media(author.id)
            page = self._cut(rows, f"media:{author.id}", asked, bend, self._post_entry)
            return {"instructions": instructions(page, "timeline")}

        return self._owner(self.world.authors.get(_number(asked.get("userId"))), timeline)

    def _relations(self, operation: str, asked: Mapping[str, Any], bend: Bend) -> Json:
        def timeline(author: Author) -> Json:
            rows = self.world.following[author.id] if operation == "Following" else self.world.followers[author.id]
            if operation == "BlueVerifiedFollowers":
                rows = [other for other in rows if self.world.authors[other].blue]
            return self._users(rows, f"{operation}:{author.id}", asked, bend, f"{operation}Sgs")

        return self._owner(self.world.authors.get(_number(asked.get("userId"))), timeline)

    def _users(
        self, rows: Sequence[int], listing: str, asked: Mapping[str, Any], bend: Bend, component: str | None,
        *, style: Style = "pair",
    ) -> Json:  # fmt: skip
        page = self._cut(
            rows, listing, asked, bend, lambda row: self._user_entry(row, component), style=style, count=USERS_PER_PAGE
        )
        shape: Shape = "users" if style == "pair" else "timeline"
        return {"instructions": instructions(page, shape)}

    def _retweeters(self, asked: Mapping[str, Any], bend: Bend) -> Json:
        post_id = _number(asked.get("tweetId"))
        rows = self.world.reposters.get(post_id, [])
        made = self._users(rows, f"retweeters:{post_id}", asked, bend, None, style="token")
        return {"data": {"retweeters_timeline": {"timeline": made | {"responseObjects": {}}}}}

    def _list_members(self, asked: Mapping[str, Any], bend: Bend) -> Json:
        number = _number(asked.get("listId"))
        if number not in self.world.lists:
            return {"data": {"list": {}}}
        made = self._users(self.world.lists[number], f"list:{number}", asked, bend, "MembersSgs")
        return {"data": {"list": {"members_timeline": {"timeline": made}}}}

    def _list_posts(self, asked: Mapping[str, Any], bend: Bend) -> Json:
        number = _number(asked.get("listId"))
        members = set(self.world.lists.get(number, []))
        rows = [post for post in self.world.newest if post.author_id in members and post.kind != "reply"]
        page = self._cut(rows, f"listposts:{number}", asked, bend, self._post_entry)
        return {"data": {"list": {"tweets_timeline": {"timeline": {"instructions": instructions(page, "timeline")}}}}}

    def _detail(self, asked: Mapping[str, Any], bend: Bend) -> Json:
        return conversation(self.world, self.renderer, asked, bend)

    def _trends(self, asked: Mapping[str, Any], bend: Bend) -> Json:
        return trends(self.world, shown=not bend.empty and not bend.ended and not asked.get("cursor"))


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isdecimal() else 0
