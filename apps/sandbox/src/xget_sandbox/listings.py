"""Which rows a timeline lists, in X's order. Answers and truth both come from here, so they cannot disagree."""

from __future__ import annotations

from xget_sandbox.search import Search
from xget_sandbox.world import World
from xget_sandbox.world.model import Author, Post


class Listings:
    """Whole listings; answering cuts them into pages."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._search = Search(world)

    def search(self, query: str, product: str) -> list[Post]:
        """Posts of a query, product Top, Latest or Media."""
        return self._search.find(query, product)

    def people(self, query: str) -> list[int]:
        """Ids of users whose name, handle or bio holds every word of the query."""
        wanted = query.lower().split()
        return [
            author.id
            for author in self.world.authors.values()
            if author.standing != "suspended" and wanted and all(word in _described(author) for word in wanted)
        ]

    def author(self, handle: str) -> Author | None:
        """The author of a screen name, in any case, with or without @."""
        return self.world.handles.get(handle.removeprefix("@").lower())

    def timeline(self, author_id: int, *, replies: bool) -> list[Post]:
        """An author's posts, quotes and reposts, newest first, and replies if asked for.

        Without replies the pinned post is left out, as it stands above the list. Empty for protected and
        suspended authors.
        """
        author = self.world.authors.get(author_id)
        if author is None or author.standing != "active":
            return []
        mine = self.world.by_author[author_id]
        if replies:
            return mine
        pinned = self.world.pinned(author_id)
        return [post for post in mine if post.kind != "reply" and post is not pinned]

    def media(self, author_id: int) -> list[Post]:
        """An author's posts with media."""
        return [post for post in self.timeline(author_id, replies=True) if post.media]

    def of_list(self, number: int) -> list[Post]:
        """Posts, quotes and reposts of a list's members."""
        members = set(self.world.lists.get(number, []))
        return [post for post in self.world.newest if post.author_id in members and post.kind != "reply"]

    def of_community(self, number: int) -> list[Post]:
        """Posts written in a community, as X ranks them: by likes."""
        homes = self.world.posted_in
        found = [post for post in self.world.newest if homes.get(post.id) == number]
        return sorted(found, key=lambda post: (-post.metrics.likes, -post.id))

    def related(self, operation: str, author_id: int) -> list[int]:
        """Ids of the users of a profile's list; `operation` is X's name of it."""
        if operation == "Following":
            return self.world.following[author_id]
        if operation == "UserCreatorSubscriptions":
            return self.world.subscriptions(author_id)
        followers = self.world.followers[author_id]
        if operation == "BlueVerifiedFollowers":
            return [other for other in followers if self.world.authors[other].blue]
        return followers

    def with_context(self, post: Post) -> list[int]:
        """Ids of the posts that come inside this one's object: quoted, reposted, and what a reposted one quotes."""
        inside: list[int] = []
        if post.quoted is not None:
            inside.append(post.quoted)
        if post.reposted is not None:
            original = self.world.posts[post.reposted]
            inside.append(original.id)
            inside += [] if original.quoted is None else [original.quoted]
        return inside


def _described(author: Author) -> str:
    return f"{author.name} {author.handle} {author.bio}".lower()
