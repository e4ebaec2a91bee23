"""Why X has nothing to show: typed ends and sentences for what is missing, protected, suspended or kept back."""

from __future__ import annotations

from typing import Any, Final

from xget_sources.ports import SourceStopped
from xget_sources.x.parser.users import is_profile, screen_name, user_id
from xget_sources.x.parser.values import Json, as_dict, as_list, as_text, dig

NOT_FOUND: Final = "not_found"
UNAVAILABLE: Final = "unavailable"
_CODES: Final = {17: NOT_FOUND, 34: NOT_FOUND, 50: NOT_FOUND, 108: NOT_FOUND, 144: NOT_FOUND} | {
    63: "suspended",
    179: "protected",
}
"""X's numbers for what the request was about (not for the account that asked)."""
_WORDS: Final = (
    ("suspended", ("suspend",)),
    ("protected", ("protected", "limits who can", "not authorized to see", "private")),
    (UNAVAILABLE, ("withheld", "age-restricted", "adult content", "not available", "unavailable", "blocked you")),
    (
        NOT_FOUND,
        ("_missing", "not found", "notfound", "no status", "no longer exists", "deleted", "exist", "deactivated"),
    ),
)
"""What X's sentences say; the first that fits."""


class Unexplained(SourceStopped):
    """X shows nothing and does not say why: who knows whom the timeline is of may ask for the profile."""


def profile_of(payload: Any, subject: str) -> Json:
    """The user result of a look-up. Raises SourceStopped when there is none, with the reason."""
    for holder in ("user", "user_result_by_screen_name"):
        result = as_dict(dig(payload, "data", holder, "result"))
        if user_id(result) and screen_name(result) and is_profile(result):
            return result
        if result.get("__typename") == "UserUnavailable" or result.get("reason"):
            said = [text for name in ("message", "reason") if (text := as_text(result.get(name)))]
            raise _stopped(f"X does not show {subject}", said[0] if said else "unavailable", said, UNAVAILABLE)
    if texts := _errors(payload):
        raise _stopped(f"X does not show {subject}", "; ".join(texts), texts, NOT_FOUND, payload)
    raise SourceStopped(
        NOT_FOUND, f"X has no {subject}: the name or number is wrong, or the account is gone or renamed."
    )


def refuse_protected(profile: Json, subject: str) -> None:
    """Raises SourceStopped when only followers may read the user and the account that asked is none."""
    protected = dig(profile, "privacy", "protected") is True or dig(profile, "legacy", "protected") is True
    following = (
        dig(profile, "relationship_perspectives", "following") is True or dig(profile, "legacy", "following") is True
    )
    if protected and not following:
        raise SourceStopped(
            "protected",
            f"X does not show the posts of {subject}: they are protected. Use an account that follows it.",
        )


def no_post(payload: Any, tweet_id: str) -> SourceStopped:
    """The end of a task whose post is deleted, withheld or not for this account."""
    subject = f"X does not show post {tweet_id}"
    if tombstone := _tombstone(payload):
        return _stopped(subject, tombstone, [tombstone], UNAVAILABLE)
    texts = _errors(payload)
    return _stopped(subject, "; ".join(texts) or "it is deleted, or not for everyone", texts, NOT_FOUND, payload)


def no_timeline(payload: Any, subject: str) -> SourceStopped:
    """The end of a task whose timeline X does not show."""
    texts = _errors(payload) or _unavailable(payload)
    why = "; ".join(texts) or "it does not exist, or is not shown to this account"
    if not texts:
        return Unexplained(UNAVAILABLE, f"X does not show the {subject}: {why}.")
    return _stopped(f"X does not show the {subject}", why, texts, UNAVAILABLE, payload)


def no_more(payload: Any, subject: str) -> SourceStopped:
    """The end of a task whose timeline X showed, and then not: typed when X says why, else worth another try."""
    texts = _errors(payload) or _unavailable(payload)
    if tombstone := _tombstone(payload):
        texts = [tombstone]
    reason = reason_of(texts, payload)
    if reason is None:
        return Unexplained("source_error", f"X showed a part of the {subject} and then no more.", retryable=True)
    return SourceStopped(reason, f"X showed a part of the {subject} and then no more: {_clause(texts)}.")


def reason_of(texts: list[str], payload: Any = None) -> str | None:
    """The end reason that X's error numbers or words stand for; None when they say nothing of the target."""
    for error in as_list(dig(payload, "errors")):
        code = as_dict(error).get("code")
        if type(code) is int and code in _CODES:
            return _CODES[code]
    said = " ".join(texts).lower()
    return next((reason for reason, words in _WORDS if any(word in said for word in words)), None)


def _stopped(subject: str, why: str, texts: list[str], otherwise: str, payload: Any = None) -> SourceStopped:
    return SourceStopped(reason_of(texts, payload) or otherwise, f"{subject}: {_clause([why])}.")


def _clause(texts: list[str]) -> str:
    return "; ".join(texts).removeprefix("_Missing: ")[:300].rstrip(".")


def _errors(payload: Any) -> list[str]:
    return [text for error in as_list(dig(payload, "errors")) if (text := as_text(dig(error, "message")))]


def _unavailable(payload: Any) -> list[str]:
    """What X writes in the place of a user or community that it does not show."""
    for holder in ("user", "communityResults", "list"):
        result = as_dict(dig(payload, "data", holder, "result")) or as_dict(dig(payload, "data", holder))
        texts = [text for name in ("message", "reason", "unavailable_reason") if (text := as_text(result.get(name)))]
        if texts:
            return texts
    return []


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
