"""The steps of a login that is under way, by the words that flows tell; its row keeps the sentence."""

from __future__ import annotations

from typing import Final

STEPS: Final = {
    "starting": "A browser starts for it.",
    "opening": "The login page is asked for.",
    "identifier": "Its user name is given.",
    "name": "Its user name is given once more, as a proof.",
    "password": "Its password is given.",
    "totp": "The code of its TOTP secret is given.",
    "email": "Its e-mail address is given.",
    "code": "A confirmation code is waited for by mail.",
    "code_given": "The confirmation code of its mail is given.",
    "google": "Google is asked to vouch for it.",
    "google_identifier": "Its e-mail address is given to Google.",
    "google_password": "Its password is given to Google.",
    "google_code": "The code of its TOTP secret is given to Google.",
    "session": "X has given a session.",
}
BEFORE: Final = frozenset({"", "starting"})
"""Nobody is asked yet."""
_WORDS: Final = {sentence: word for word, sentence in STEPS.items()}


def step_of(sentence: str) -> str:
    """The word of a sentence; "" for others."""
    return _WORDS.get(sentence, "")


def asks(step: str) -> bool:
    """Whether the platform is asked at this step, or was before: the try counts."""
    return step not in BEFORE
