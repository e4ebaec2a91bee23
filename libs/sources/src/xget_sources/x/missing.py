"""Why X has nothing to show: sentences for users, posts and timelines that are not there."""

from __future__ import annotations

from typing import Any

from xget_sources.ports import SourceStopped
from xget_sources.x.parser.users import is_profile, screen_name, user_id
from xget_sources.x.parser.values import Json, as_dict, as_list, as_text, dig


def profile_of(payload: Any, subject: str) -> Json:
    """The user result of a look-up. Raises SourceStopped when there is none: not found, suspended."""
    for holder in ("user", "user_result_by_screen_name"):
        result = as_dict(dig(payload, "data", holder, "result"))
        if user_id(result) and screen_name(result) and is_profile(result):
            return result
        if result.get("__typename") == "UserUnavailable" or result.get("reason"):
            why = as_text(result.get("message")) or as_text(result.get("reason")) or "unavailable"
            raise SourceStopped("source_error", f"X does not show {subject}: {why.rstrip('.')}.")
    if as_list(dig(payload, "errors")):
        raise SourceStopped("source_error", f"X does not show {subject}: {_errors(payload)}.")
    raise SourceStopped("source_error", f"X has no {subject}: the name or number is wrong, or the account is gone.")


def refuse_protected(profile: Json, subject: str) -> None:
    """Raises SourceStopped when only followers may read the user and the account that asked is none."""
    protected = dig(profile, "privacy", "protected") is True or dig(profile, "legacy", "protected") is True
    following = (
        dig(profile, "relationship_perspectives", "following") is True or dig(profile, "legacy", "following") is True
    )
    if protected and not following:
        raise SourceStopped(
            "source_error",
            f"X does not show the posts of {subject}: they are protected. Use an account that follows it.",
        )


def no_post(payload: Any, tweet_id: str) -> SourceStopped:
    """The end of a task whose post is deleted, withheld or not for this account."""
    why = _tombstone(payload) or _errors(payload) or "it is deleted, or not for everyone"
    return SourceStopped("source_error", f"X does not show post {tweet_id}: {why.rstrip('.')}.")


def no_timeline(payload: Any, subject: str) -> SourceStopped:
    """The end of a task whose timeline X does not show."""
    why = _errors(payload) or _unavailable(payload) or "it does not exist, is protected or suspended"
    return SourceStopped("source_error", f"X does not show the {subject}: {why.rstrip('.')}.")


def _errors(payload: Any) -> str:
    texts = [text for error in as_list(dig(payload, "errors")) if (text := as_text(dig(error, "message")))]
    return "; ".join(texts).removeprefix("_Missing: ")[:300]


def _unavailable(payload: Any) -> str | None:
    result = as_dict(dig(payload, "data", "user", "result"))
    return as_text(result.get("message")) or as_text(result.get("reason"))


def _tombstone(payload: Any) -> str | None:
    """The text that X puts in the place of the first post that it does not show."""
    stack = [payload]
    while stack:
        node = stack.pop()
        if type(node) is dict:
            if node.get("__typename") in ("TweetTombstone", "TweetUnavailable"):
                return as_text(dig(node, "tombstone", "text", "text")) or as_text(node.get("reason"))
            stack += reversed(list(node.values()))
        elif type(node) is list:
            stack += reversed(node)
    return None
