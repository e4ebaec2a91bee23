"""What one request asks the API for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

HOST: Final = "https://api.x.com/2/"
TWEET_FIELDS: Final = (
    "attachments,author_id,community_id,conversation_id,created_at,edit_controls,edit_history_tweet_ids,entities,geo,"
    "in_reply_to_user_id,lang,note_tweet,possibly_sensitive,public_metrics,referenced_tweets,reply_settings,withheld"
)
USER_FIELDS: Final = (
    "created_at,description,entities,location,pinned_tweet_id,profile_banner_url,profile_image_url,protected,"
    "public_metrics,url,verified,verified_type,withheld"
)
_OF_POSTS: Final = {
    "tweet.fields": TWEET_FIELDS,
    "user.fields": USER_FIELDS,
    "media.fields": "alt_text,duration_ms,height,media_key,preview_image_url,public_metrics,type,url,variants,width",
    "poll.fields": "duration_minutes,end_datetime,id,options,voting_status",
    "place.fields": "country,country_code,full_name,geo,id,name,place_type",
    "expansions": "attachments.media_keys,attachments.poll_ids,author_id,entities.mentions.username,geo.place_id,"
    "in_reply_to_user_id,referenced_tweets.id,referenced_tweets.id.author_id,"
    "referenced_tweets.id.attachments.media_keys",
}


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request: `operation` is X's own name of it, `units` the posts or users that it reads at most."""

    operation: str
    path: str
    kind: Literal["posts", "users"]
    units: int
    asked: Mapping[str, str] = {}
    archive: bool = False
    """The full-archive search."""
    bare: bool = False
    """Answers numbers, no records: there are no fields to ask for."""

    @property
    def parameters(self) -> dict[str, str]:
        """The query of the request: what is asked, and every field that a parser has a place for."""
        if self.bare:
            return dict(self.asked)
        fields = _OF_POSTS if self.kind == "posts" else {"user.fields": USER_FIELDS}
        return {**self.asked, **fields}
