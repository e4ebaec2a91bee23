"""What X shows in the place of a post that it does not show."""

from __future__ import annotations

from typing import Any

from xget_sandbox.wire.timelines import tweet_item

Json = dict[str, Any]
HELP = "https://help.twitter.com/rules-and-policies/notices-on-twitter"
WORDS = {
    "deleted": "This Post was deleted by the Post author. Learn more",
    "withheld": "This Post from @{handle} has been withheld in Germany in response to a legal demand. Learn more",
    "age_gated": "Age-restricted adult content. This content might not be appropriate for people under 18 years old.",
    "suspended": "This Post is from a suspended account. Learn more",
    "protected": (
        "You’re unable to view this Post because this account owner limits who can view their Posts. Learn more"
    ),
    "removed": "This Post is from an account that no longer exists. Learn more",
}


def tombstone(why: str, handle: str) -> Json:
    """The object under `tweet_results.result`."""
    text = WORDS[why].format(handle=handle)
    entities: list[Json] = []
    if text.endswith("Learn more"):
        link = {"type": "TimelineUrl", "url": HELP, "urlType": "ExternalUrl"}
        entities.append({"fromIndex": len(text) - 10, "ref": link, "toIndex": len(text)})
    body = {"__typename": "TextTombstone", "text": {"entities": entities, "rtl": False, "text": text}}
    return {"__typename": "TweetTombstone", "tombstone": body}


def tombstone_entry(post_id: int, why: str, handle: str) -> tuple[str, Json]:
    """An entry of a conversation that stands for the post."""
    return f"tweet-{post_id}", tweet_item(tombstone(why, handle), "tweet")
