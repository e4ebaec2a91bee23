"""Timelines of posts: searches, profiles, lists, bookmarks."""

from __future__ import annotations

from xget_sandbox.graphql.cutting import Asked, Cutter, Entry, Handler, number
from xget_sandbox.paging import Bend
from xget_sandbox.source import Json
from xget_sandbox.wire.cursors import Cursor
from xget_sandbox.wire.timelines import Page, grid, instructions, module, search_grid, tweet_item, user_item
from xget_sandbox.world.model import Author, Post


class PostTimelines:
    """Everything that lists posts."""

    def __init__(self, cutter: Cutter) -> None:
        self.cutter = cutter
        self.world = cutter.world
        self.listings = cutter.listings

    def handlers(self) -> dict[str, Handler]:
        """By operation."""
        return {
            "SearchTimeline": self._search,
            "UserTweets": self._user_tweets,
            "UserTweetsAndReplies": self._user_replies,
            "UserMedia": self._user_media,
            "ListLatestTweetsTimeline": self._list_posts,
            "Bookmarks": self._bookmarks,
        }

    def _search(self, asked: Asked, bend: Bend) -> Json:
        query, product = str(asked.get("rawQuery", "")), str(asked.get("product", "Top"))
        listing = f"{'grid' if product == 'Media' else 'search'}:{product}:{query}"
        cutter = self.cutter
        if product == "People":
            people = self.listings.people(query)
            page = cutter.cut(people, listing, asked, bend, lambda row: cutter.user(row, "people"))
        else:
            found = self.listings.search(query, product)
            component = "latest_nightowl_recency" if product == "Latest" else "result"
            page = cutter.cut(found, listing, asked, bend, lambda row: cutter.post(row, component, highlights=True))
        shown = search_grid(page) if product == "Media" else instructions(page, "search")
        timeline = {"timeline": {"instructions": shown}}
        return {"data": {"search_by_raw_query": {"search_timeline": timeline}}}

    def _user_tweets(self, asked: Asked, bend: Bend) -> Json:
        def timeline(author: Author) -> Json:
            rows = self.listings.timeline(author.id, replies=False)
            page = self.cutter.cut(rows, f"tweets:{author.id}", asked, bend, self.cutter.post)
            pinned = self.world.pinned(author.id)
            if page.cursor == Cursor() and not bend.empty and not bend.ended:
                entries = [*page.entries[:4], self._who_to_follow(author), *page.entries[4:]]
                now = self.world.shown(pinned) if pinned else None
                pin = self._pin(now) if now else None
                page = Page(page.listing, page.style, page.cursor, entries, page.after, page.size, pin)
            made = instructions(page, "timeline")
            return {"instructions": made, "metadata": {"scribeConfig": {"page": "profileBest"}}}

        return self.cutter.owned(asked, timeline)

    def _pin(self, post: Post) -> Entry:
        social = {"contextType": "Pin", "text": "Pinned", "type": "TimelineGeneralContext"}
        return f"tweet-{post.id}", tweet_item(self.cutter.renderer.post(post.id), "pinned_tweets", social=social)

    def _who_to_follow(self, author: Author) -> Entry:
        others = [other for other in self.world.following[author.id] if other != author.id][:3]
        items = [(f"user-{other}", user_item(self.cutter.renderer.user(other), None)) for other in others]
        entry_id = f"who-to-follow-{author.id}"
        return entry_id, module(entry_id, items, "suggest_who_to_follow", "Vertical")

    def _user_replies(self, asked: Asked, bend: Bend) -> Json:
        def timeline(author: Author) -> Json:
            rows = self.listings.timeline(author.id, replies=True)
            page = self.cutter.cut(rows, f"replies:{author.id}", asked, bend, self._threaded)
            return {"instructions": instructions(page, "timeline")}

        return self.cutter.owned(asked, timeline)

    def _threaded(self, post: Post) -> Entry:
        """A reply comes in one module with the post it answers."""
        if post.reply_to is None:
            return self.cutter.post(post)
        items = [self.cutter.stand_in(one) for one in (self.world.posts[post.reply_to], post)]
        entry_id = f"profile-conversation-{post.id}"
        return entry_id, module(entry_id, items, "suggest_ranked_organic_tweet", "VerticalConversation")

    def _user_media(self, asked: Asked, bend: Bend) -> Json:
        def timeline(author: Author) -> Json:
            rows = self.listings.media(author.id)
            page = self.cutter.cut(rows, f"media:{author.id}", asked, bend, self.cutter.post)
            return {"instructions": grid(page) if self.world.rich else instructions(page, "timeline")}

        return self.cutter.owned(asked, timeline)

    def _list_posts(self, asked: Asked, bend: Bend) -> Json:
        wanted = number(asked.get("listId"))
        if wanted not in self.world.lists:
            return {"data": {"list": {}}}
        page = self.cutter.cut(self.listings.of_list(wanted), f"listposts:{wanted}", asked, bend, self.cutter.post)
        return {"data": {"list": {"tweets_timeline": {"timeline": {"instructions": instructions(page, "timeline")}}}}}

    def _bookmarks(self, asked: Asked, bend: Bend) -> Json:
        page = self.cutter.cut(self.world.bookmarks, "bookmarks", asked, bend, self.cutter.post)
        timeline = {"instructions": instructions(page, "timeline"), "responseObjects": {"feedbackActions": []}}
        return {"data": {"bookmark_timeline_v2": {"timeline": timeline}}}
