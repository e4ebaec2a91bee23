"""X's refusals of a login, by the step at which they came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from xget_account.ports import LoginResult

EXPIRED: Final = "X refuses the confirmation code of the mail: it has expired, or a newer one was sent."
STEPS: Final = {
    "LoginEnterUserIdentifierSSO": ("unknown_name", "X knows no account {username}: correct its username."),
    "LoginEnterPassword": ("wrong_password", "X refuses its password: set the right one."),
    "LoginTwoFactorAuthChallenge": (
        "wrong_totp",
        "X refuses the code of its TOTP secret: set the right secret (and look at this machine's clock).",
    ),
    "LoginEnterAlternateIdentifierSubtask": (
        "denied",
        "X saw unusual activity and does not take its user name as the proof: log in by hand.",
    ),
    "LoginAcid": ("wrong_code", "X refuses its e-mail address: look at its `email`."),
    "code": ("wrong_code", EXPIRED),
}
"""Subtask to outcome and sentence when X answers it with error 399."""
CHALLENGES: Final = frozenset({"ArkoseLogin", "LoginCaptcha", "RecaptchaLogin", "LoginCastle"})
SUSPENDED_CODES: Final = frozenset({63, 64})
LOCKED_CODES: Final = frozenset({326})
TOO_MANY_CODES: Final = frozenset({88})


def refusal(step: str, status: int, codes: Iterable[int], username: str) -> LoginResult:
    """What X's error at a step means."""
    found = frozenset(codes)
    if found & SUSPENDED_CODES:
        return LoginResult("suspended", "X has suspended it.")
    if found & LOCKED_CODES:
        return LoginResult("challenge", "X has locked it until a person unlocks it.")
    if status == 429 or found & TOO_MANY_CODES:
        return LoginResult("too_many", "X wants no more logins from here for a while.")
    if status >= 500:
        return LoginResult("network", f"X answers the login with HTTP {status}.")
    if 399 in found and step in STEPS:
        outcome, sentence = STEPS[step]
        return LoginResult(outcome, sentence.format(username=username))
    shown = ", ".join(map(str, sorted(found))) or "none"
    return LoginResult("unknown_step", f"X refuses the login at {step or 'its start'} (HTTP {status}, error {shown}).")


def blocked(step: str) -> LoginResult | None:
    """A step that no machine answers."""
    if step in CHALLENGES:
        return LoginResult("challenge", "X asks for a proof that it is a person (captcha).")
    if step == "DenyLoginSubtask":
        return LoginResult("denied", "X prevented the login as suspicious.")
    return None
