"""Who has an account here, and which sessions were given out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from secrets import token_hex
from typing import Any, Final

from xget_sandbox.errors import SandboxError
from xget_sandbox.mail.box import Post

CHALLENGES: Final = (
    "none", "email_code", "email", "unusual", "captcha", "human", "suspended", "denied", "strange",
)  # fmt: skip
GOOGLE_CHALLENGES: Final = ("", "phone", "prompt", "captcha", "insecure", "consent", "blocked", "refused")
_TEXTS: Final = ("username", "password", "email", "email_password", "totp", "phone", "challenge", "google_challenge")
_FLAGS: Final = ("google", "google_totp")


@dataclass(slots=True)
class Person:
    """An account of this sandbox. `totp` is a base32 secret, "" for none; `google` signs in with Google by `email` and
    `password` (and the TOTP there with `google_totp`), if no `google_challenge` of Google's is in the way."""

    username: str
    password: str = ""
    email: str = ""
    email_password: str = ""
    totp: str = ""
    phone: str = ""
    challenge: str = "none"
    google: bool = False
    google_totp: bool = False
    google_challenge: str = ""
    code: str = ""
    """The confirmation code that was sent last."""
    devices: set[str] = field(default_factory=set)
    """`kdt` cookies of browsers that have logged in; a login with one of them counts as `known`."""
    counts: dict[str, int] = field(default_factory=lambda: {"logins": 0, "wrong": 0, "started": 0, "known": 0})

    def is_called(self, text: str) -> bool:
        """Whether a text is this person's user name, e-mail address or phone number."""
        given = text.strip().lstrip("@").casefold()
        return given in {name.casefold() for name in (self.username, self.email, self.phone) if name}


class People:
    """Registered accounts, the sessions that logging in gave out, and codes by mail."""

    def __init__(self, post: Post, seed: int = 7) -> None:
        self.post = post
        self.all: dict[str, Person] = {}
        self.sessions: dict[str, str] = {}
        """auth_token to user name."""
        self.pages = 0
        """How often a login page was given to somebody."""
        self._expired: set[str] = set()
        self._rng = Random(f"{seed}:codes")

    def register(self, given: object) -> dict[str, Any]:
        """Add or replace accounts: one object or a list of them. Raises SandboxError."""
        for one in given if isinstance(given, list) else [given]:
            person = read_person(one)
            self.all[person.username.casefold()] = person
            if person.email:
                self.post.open(person.email, person.email_password)
        return self.told()

    def find(self, text: str) -> Person | None:
        """Who is called so."""
        return next((person for person in self.all.values() if person.is_called(text)), None)

    def send_code(self, person: Person) -> None:
        """Send a fresh confirmation code."""
        person.code = "".join(self._rng.choices("abcdefghjkmnpqrstuvwxyz23456789", k=8))
        self.post.send_code(person.email, person.code)

    def open_session(self, person: Person) -> tuple[str, str]:
        """A new auth_token and ct0."""
        token = token_hex(20)
        self.sessions[token] = person.username
        person.counts["logins"] += 1
        return token, token_hex(80)

    def expire(self, username: str | None = None) -> int:
        """End the sessions of one account or of all; how many."""
        ended = [t for t, name in self.sessions.items() if username is None or name.casefold() == username.casefold()]
        self._expired.update(ended)
        for token in ended:
            del self.sessions[token]
        return len(ended)

    def end(self, token: str) -> None:
        """End one session, wherever it is from."""
        self._expired.add(token)
        self.sessions.pop(token, None)

    def refusal_of(self, token: str) -> str | None:
        """The error code that a session is refused with; one that is not from here only after it was ended."""
        if token in self._expired:
            return "32"
        person = self.all.get(self.sessions.get(token, "").casefold())
        return "326" if person is not None and person.challenge == "human" else None

    def told(self) -> dict[str, Any]:
        """What a test wants to know; no secrets."""
        sessions = list(self.sessions.values())
        return {
            "pages": self.pages,
            "accounts": [
                {"username": p.username, "challenge": p.challenge, "sessions": sessions.count(p.username), **p.counts}
                for p in self.all.values()
            ],
        }


def read_person(given: object) -> Person:
    """A person from JSON. Raises SandboxError."""
    if not isinstance(given, Mapping) or not isinstance(given.get("username"), str) or not given["username"]:
        raise SandboxError("accounts: has to be an object with username, or a list of such.")
    unknown = sorted(set(given) - {*_TEXTS, *_FLAGS})
    if unknown:
        raise SandboxError(f"accounts.{unknown[0]}: there are {', '.join((*_TEXTS, *_FLAGS))}.")
    wrong = [name for name in _TEXTS if not isinstance(given.get(name, ""), str)]
    wrong += [name for name in _FLAGS if not isinstance(given.get(name, False), bool)]
    if wrong:
        raise SandboxError(f"accounts.{wrong[0]}: has to be {'a text' if wrong[0] in _TEXTS else 'true or false'}.")
    if given.get("challenge", "none") not in CHALLENGES:
        raise SandboxError(f"accounts.challenge: has to be one of {', '.join(CHALLENGES)}.")
    if given.get("google_challenge", "") not in GOOGLE_CHALLENGES:
        raise SandboxError(f"accounts.google_challenge: has to be one of {', '.join(filter(None, GOOGLE_CHALLENGES))}.")
    return Person(**given)
