"""What each endpoint of API v2 answers, from the same listings as the web's operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from xget_sandbox.api_v2.asked import Asked, Json, cut, listed, moment, unseen, whole
from xget_sandbox.api_v2.problems import invalid, not_found, not_yours
from xget_sandbox.api_v2.queries import find
from xget_sandbox.api_v2.rendering import stamp
from xget_sandbox.api_v2.selecting import Selection
from xget_sandbox.listings import Listings
from xget_sandbox.wire.cursors import Cursor, decode, encode
from xget_sandbox.world import World
from xget_sandbox.world.ids import DAY_MS, snowflake, snowflake_ms
from xget_sandbox.world.model import Author, Post

MONTH_MS = 30 * DAY_MS
MONTH_OF_COUNTS_MS = 31 * DAY_MS
"""A page of the full archive's counts."""
FIRST_MS = int(datetime(2006, 3, 21, tzinfo=UTC).timestamp() * 1000)
STEPS_MS = {"minute": 60_000, "hour": 3_600_000, "day": DAY_MS}


class Endpoints:
    """Answers by X's own names of the operations; every handler takes the path's number or name and the query."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.listings = Listings(world)
        self.handlers: dict[str, Callable[[str, Asked], Json]] = {
            "tweetsRecentSearch": lambda _, asked: self._search(asked, "tweetsRecentSearch"),
            "tweetsFullarchiveSearch": lambda _, asked: self._search(asked, "tweetsFullarchiveSearch"),
            "tweetCountsRecentSearch": lambda _, asked: self._counts(asked, "tweetsRecentSearch"),
            "tweetCountsFullArchiveSearch": lambda _, asked: self._counts(asked, "tweetsFullarchiveSearch"),
            "findTweetsById": self._tweets,
            "findTweetById": self._tweet,
            "findUserByUsername": self._by_name,
            "findUsersByUsername": self._by_names,
            "findUserById": self._by_id,
            "usersIdTweets": self._timeline,
            "usersIdFollowers": lambda number, asked: self._related("Followers", number, asked),
            "usersIdFollowing": lambda number, asked: self._related("Following", number, asked),
            "listsIdTweets": self._list_posts,
            "listGetMembers": self._list_members,
            "tweetsIdRetweetingUsers": self._reposters,
            "findTweetsThatQuoteATweet": self._quotes,
        }

    def _search(self, asked: Asked, operation: str) -> Json:
        query, (first, end) = asked.get("query", ""), self._window(asked, operation)
        rows = find(self.world, query, first, end)
        most = 500 if operation == "tweetsFullarchiveSearch" else 100
        return self._posts(rows, f"{operation}:{query}", asked, least=10, most=most, usual=10)

    def _counts(self, asked: Asked, operation: str) -> Json:
        grain = asked.get("granularity", "hour")
        if grain not in STEPS_MS:
            raise invalid("granularity", grain, f"The `granularity` query parameter value [{grain}] is not one of "
                          "[minute,hour,day]")  # fmt: skip
        first, end = self._window(asked, operation)
        rows = [post for post in find(self.world, asked.get("query", ""), first, end) if self.world.shown(post)]
        begin, step = max(snowflake_ms(first), FIRST_MS), STEPS_MS[grain]
        counted = Counter(post.created_ms // step for post in rows)
        steps = range(begin // step, snowflake_ms(end - 1) // step + 1)
        more: Json = {}
        if operation == "tweetsFullarchiveSearch":
            listing, token = f"counts:{asked.get('query')}", asked.get("next_token")
            behind = len(steps) - (decode(listing, token, "token").offset if token else 0)
            before = max(0, behind - MONTH_OF_COUNTS_MS // step)
            more = {"next_token": encode(listing, Cursor(len(steps) - before), "token")} if before else {}
            steps = steps[before:behind]
        data = [{"start": stamp(n * step), "end": stamp((n + 1) * step), "tweet_count": counted[n]} for n in steps]
        return {"data": data, "meta": {"total_tweet_count": sum(row["tweet_count"] for row in data), **more}}

    def _window(self, asked: Asked, operation: str) -> tuple[int, int]:
        """Ids between which posts are looked for. Raises Refused (400) in the API's own words."""
        now = self.world.life.now_ms
        recent = operation == "tweetsRecentSearch"
        reach = now - 7 * DAY_MS if recent else FIRST_MS
        since, until = moment(asked, "start_time"), moment(asked, "end_time")
        if since is not None and since < reach:
            least = f"'start_time' must be on or after {stamp(reach)[:-8]}Z"
            raise invalid("start_time", asked["start_time"], f"Invalid 'start_time':'{asked['start_time']}'. {least}.")
        if until is not None and until > now - 10_000:
            message = "'end_time' must be a minimum of 10 seconds prior to the request time."
            raise invalid("end_time", asked["end_time"], f"Invalid 'end_time':'{asked['end_time']}'. {message}")
        if since is not None and until is not None and since >= until:
            raise invalid("start_time", asked["start_time"], "Invalid 'start_time'. 'start_time' must be before "
                          "'end_time'.")  # fmt: skip
        begin = since if since is not None else reach if recent else now - MONTH_MS
        first, end = snowflake(begin), snowflake(until if until is not None else now)
        if asked.get("since_id", "").isdecimal():
            first = max(first, int(asked["since_id"]) + 1)
        if asked.get("until_id", "").isdecimal():
            end = min(end, int(asked["until_id"]))
        return first, end

    def _tweets(self, _: str, asked: Asked) -> Json:
        selection, data = Selection(self.world, asked), []
        for number in listed(asked, "ids"):
            post = self._shown(number, selection, "ids")
            if post is not None:
                data.append(selection.tweet(post))
        return selection.body(data)

    def _tweet(self, number: str, asked: Asked) -> Json:
        selection = Selection(self.world, asked)
        post = self._shown(number, selection, "id")
        return selection.body(selection.tweet(post) if post else None)

    def _shown(self, number: str, selection: Selection, parameter: str) -> Post | None:
        post = self.world.posts.get(int(number)) if number.isdecimal() else None
        why = self.world.life.missing(post, self.world.authors) if post else "deleted"
        if post is None or why:
            make = not_yours if why in ("protected", "suspended") else not_found
            selection.errors.append(make("tweet", parameter, number))
            return None
        return self.world.life.edited.get(post.id, post)

    def _by_name(self, name: str, asked: Asked) -> Json:
        return self._user(self.listings.author(name), "username", name, asked)

    def _by_id(self, number: str, asked: Asked) -> Json:
        return self._user(self.world.authors.get(whole(number)), "id", number, asked)

    def _by_names(self, _: str, asked: Asked) -> Json:
        selection, data = Selection(self.world, asked), []
        for name in listed(asked, "usernames"):
            author = self.listings.author(name)
            error = unseen(author, "usernames", name)
            if author is None or error is not None:
                selection.errors.append(error or {})
            else:
                data.append(selection.user(author.id))
        return selection.body(data)

    def _user(self, author: Author | None, parameter: str, value: str, asked: Asked) -> Json:
        selection = Selection(self.world, asked)
        error = unseen(author, parameter, value)
        if author is None or error is not None:
            return {"errors": [error]}
        return selection.body(selection.user(author.id))

    def _timeline(self, number: str, asked: Asked) -> Json:
        """An author's posts; `exclude` leaves out replies and retweets."""
        if (refused := self._owner(number, "tweets")) is not None:
            return refused
        left_out = set(asked.get("exclude", "").split(","))
        first, end = self._window(asked, "usersIdTweets")
        if "start_time" not in asked and "since_id" not in asked:
            first = 0
        rows = [
            post for post in self.world.by_author[int(number)]
            if first <= post.id < end
            and not (post.kind == "reply" and "replies" in left_out)
            and not (post.kind == "repost" and "retweets" in left_out)
        ][:3200]  # fmt: skip
        return self._posts(rows, f"usersIdTweets:{number}", asked, least=5, most=100, usual=10)

    def _owner(self, number: str, kind: str) -> Json | None:
        """What is said of a user whose timelines are not shown."""
        author = self.world.authors.get(whole(number))
        error = unseen(author, "id", number)
        if error is None and author is not None and author.standing == "protected":
            error = not_yours("user", "id", number)
        return {"errors": [error]} if error is not None else None

    def _related(self, operation: str, number: str, asked: Asked) -> Json:
        if (refused := self._owner(number, operation)) is not None:
            return refused
        rows = self.listings.related(operation, int(number))
        return self._users(rows, f"{operation}:{number}", asked, most=1000)

    def _list_posts(self, number: str, asked: Asked) -> Json:
        if whole(number) not in self.world.lists:
            return {"errors": [not_found("list", "id", number)]}
        rows = self.listings.of_list(int(number))
        return self._posts(rows, f"listsIdTweets:{number}", asked, least=1, most=100, usual=100)

    def _list_members(self, number: str, asked: Asked) -> Json:
        if whole(number) not in self.world.lists:
            return {"errors": [not_found("list", "id", number)]}
        return self._users(self.world.lists[int(number)], f"listGetMembers:{number}", asked, most=100)

    def _reposters(self, number: str, asked: Asked) -> Json:
        if whole(number) not in self.world.posts:
            return {"errors": [not_found("tweet", "id", number)]}
        rows = self.world.reposters.get(int(number), [])
        return self._users(rows, f"tweetsIdRetweetingUsers:{number}", asked, most=100)

    def _quotes(self, number: str, asked: Asked) -> Json:
        rows = [post for post in self.world.newest if post.quoted == whole(number)]
        return self._posts(rows, f"quotes:{number}", asked, least=10, most=100, usual=10)

    def _posts(
        self, rows: Sequence[Post], listing: str, asked: Asked, *, least: int, most: int, usual: int
    ) -> Json:  # fmt: skip
        selection = Selection(self.world, asked)
        shown_rows, meta = cut(rows, listing, asked, least=least, most=most, usual=usual)
        shown = [post for row in shown_rows if (post := self.world.shown(row))]
        data = [selection.tweet(post) for post in shown]
        if shown:
            ids = [post.id for post in shown]
            meta |= {"newest_id": str(max(ids)), "oldest_id": str(min(ids))}
        return selection.body(data, meta | {"result_count": len(data)})

    def _users(self, rows: Sequence[int], listing: str, asked: Asked, *, most: int) -> Json:
        selection = Selection(self.world, asked)
        shown_rows, meta = cut(rows, listing, asked, least=1, most=most, usual=100)
        seen = [number for number in shown_rows if self.world.authors[number].standing not in ("suspended", "removed")]
        data = [selection.user(number) for number in seen]
        return selection.body(data, meta | {"result_count": len(data)})
