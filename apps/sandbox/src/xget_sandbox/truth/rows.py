"""Which rows each task type lists, in X's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xget_sandbox.listings import Listings
from xget_sandbox.truth.asked import Questions, flag, identifier, moment, needed, with_filters
from xget_sandbox.world import World
from xget_sandbox.world.model import Author, Post

ALIASES = {"SEARCH": "KEYWORD_SEARCH", "TOPIC": "HASHTAG_SEARCH", "FOLLOWERS": "USER_FOLLOWERS"}


class Rows:
    """Task types by what they list; raises SandboxError for parameters that are missing or wrong."""

    def __init__(self, world: World, listings: Listings) -> None:
        self.world = world
        self.listings = listings
        self.posts: dict[str, Callable[[Questions], Sequence[Post]]] = {
            "KEYWORD_SEARCH": self._search,
            "HASHTAG_SEARCH": self._hashtag,
            "USER_TWEETS": self._timeline,
            "USER_REPLIES": self._replies,
            "USER_MEDIA": self._media,
            "TWEET_DETAIL": self._focal,
            "TWEET_REPLIES": self._answers,
            "TWEET_THREAD": self._thread,
            "QUOTES": lambda asked: listings.search(f"quoted_tweet_id:{identifier(asked, 'tweet_id')}", "Latest"),
            "LIST_TIMELINE": lambda asked: listings.of_list(identifier(asked, "list_id")),
            "COMMUNITY_TWEETS": self._community,
            "BOOKMARKS": lambda asked: world.bookmarks,
        }
        self.users: dict[str, Callable[[Questions], Sequence[int]]] = {
            "USER_INFO": self._profile,
            "USER_SEARCH": lambda asked: listings.people(needed(asked, "query")),
            "USER_FOLLOWERS": self._related("Followers"),
            "USER_FOLLOWING": self._related("Following"),
            "VERIFIED_FOLLOWERS": self._related("BlueVerifiedFollowers"),
            "SUBSCRIPTIONS": self._related("UserCreatorSubscriptions"),
            "RETWEETERS": lambda asked: world.reposters.get(identifier(asked, "tweet_id"), []),
            "LIST_MEMBERS": lambda asked: world.lists.get(identifier(asked, "list_id"), []),
            "COMMUNITY_MEMBERS": self._members,
            "COMMUNITY_MODERATORS": lambda asked: self._members(asked, moderators=True),
        }

    def author(self, asked: Questions) -> Author | None:
        """The user asked about."""
        if asked.get("user_id", "").isdecimal():
            return self.world.authors.get(int(asked["user_id"]))
        return self.listings.author(needed(asked, "username"))

    def _search(self, asked: Questions) -> Sequence[Post]:
        query = asked.get("query") or asked.get("keyword") or needed(asked, "query")
        return self.listings.search(with_filters(query, asked), asked.get("product", "Latest"))

    def _hashtag(self, asked: Questions) -> Sequence[Post]:
        return self._search({**asked, "query": "#" + needed(asked, "hashtag").removeprefix("#")})

    def _timeline(self, asked: Questions) -> Sequence[Post]:
        author = self.author(asked)
        replies = flag(asked, "include_replies", default=False)
        rows = [] if author is None else self.listings.timeline(author.id, replies=replies)
        pinned = self.world.pinned(author.id) if author and rows else None
        if pinned and not replies:
            rows = [pinned, *rows]
        return within(rows, asked)

    def _replies(self, asked: Questions) -> Sequence[Post]:
        author = self.author(asked)
        rows = [] if author is None else self.listings.timeline(author.id, replies=True)
        return within([post for post in rows if post.kind == "reply"], asked)

    def _media(self, asked: Questions) -> Sequence[Post]:
        author = self.author(asked)
        return within([] if author is None else self.listings.media(author.id), asked)

    def _focal(self, asked: Questions) -> Sequence[Post]:
        post = self.world.posts.get(identifier(asked, "tweet_id"))
        return [] if post is None else [post]

    def _answers(self, asked: Questions) -> Sequence[Post]:
        return self.world.answers(identifier(asked, "tweet_id"))

    def _thread(self, asked: Questions) -> Sequence[Post]:
        focal = self.world.posts.get(identifier(asked, "tweet_id"))
        if focal is None:
            return []
        above = self.world.ancestors(focal)
        if flag(asked, "whole", default=False):
            return [*above, focal, *self.world.conversation(focal)]
        root = focal
        while above and above[-1].author_id == focal.author_id:
            root = above.pop()
        return self._chain(root)

    def _chain(self, root: Post) -> list[Post]:
        """A post and what its author answered to it, and so on."""
        own = [post for post in self.world.replies_to.get(root.id, []) if post.author_id == root.author_id]
        return [root, *(post for reply in sorted(own, key=lambda one: one.id) for post in self._chain(reply))]

    def _community(self, asked: Questions) -> Sequence[Post]:
        found = self.world.communities.get(identifier(asked, "community_id"))
        return self.listings.of_community(found.id) if found and found.open else []

    def _members(self, asked: Questions, *, moderators: bool = False) -> Sequence[int]:
        found = self.world.communities.get(identifier(asked, "community_id"))
        if found is None or not found.open:
            return []
        return found.moderators if moderators else found.members

    def _profile(self, asked: Questions) -> Sequence[int]:
        author = self.author(asked)
        return [] if author is None else [author.id]

    def _related(self, operation: str) -> Callable[[Questions], Sequence[int]]:
        def rows(asked: Questions) -> Sequence[int]:
            author = self.author(asked)
            if author is None or author.standing != "active":
                return []
            return self.listings.related(operation, author.id)

        return rows


def within(rows: Sequence[Post], asked: Questions) -> Sequence[Post]:
    """What a timeline's filters leave."""
    if not flag(asked, "include_retweets", default=True):
        rows = [post for post in rows if post.kind != "repost"]
    first, end = moment(asked.get("since")), moment(asked.get("until"))
    return [post for post in rows if (first or 0) <= post.created_ms < (end or 1 << 62)]
