"""Google's sign-in pages as far as X's "Sign in with Google" needs them: e-mail address, password, code, and back."""

from __future__ import annotations

from html import escape
from secrets import token_urlsafe
from typing import Final
from urllib.parse import parse_qs

from xget_sandbox.http import Request, Response, text_response
from xget_sandbox.login.pages import redirect
from xget_sandbox.login.people import People, Person
from xget_sandbox.login.totp import accepts

HOST: Final = "accounts.google.com"
BACK: Final = "https://x.com/i/flow/google"
FORM: Final = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Sign in - Google Accounts</title></head><body>'
    '<h1 id="headingText"><span>{title}</span></h1><form method="post" action="{action}">'
    '<input type="hidden" name="TL" value="{ticket}">{input}<div class="error" jsname="B34EJ">{error}</div>'
    '<div id="{button}"><button type="submit">Next</button></div></form></body></html>'
)
INPUTS: Final = {
    "identifier": '<input type="email" name="identifier" id="identifierId" autocomplete="username">',
    "pwd": '<input type="password" name="Passwd" autocomplete="current-password">',
    "totp": '<input type="tel" name="totpPin" id="totpPin" autocomplete="off">',
}
TITLES: Final = {"identifier": "Sign in", "pwd": "Welcome", "totp": "2-Step Verification"}
BUTTONS: Final = {"identifier": "identifierNext", "pwd": "passwordNext", "totp": "totpNext"}
STOPS: Final = {
    "phone": ("Verify it\u2019s you", "Google needs to make sure that it is really you. Check your phone."),
    "prompt": ("2-Step Verification", "Google sent a notification to your phone. Tap Yes on it to go on."),
    "insecure": (
        "Couldn\u2019t sign you in",
        "This browser or app may not be secure. Try using a different browser.",
    ),
    "blocked": ("Access blocked: Authorization Error", "Your administrator does not let X see your account."),
}
"""Pages that are the end for a program, by `google_challenge`."""
STOP: Final = '<!DOCTYPE html><html lang="en"><body><h1 id="headingText"><span>{}</span></h1><p>{}</p></body></html>'
CAPTCHA: Final = '<img id="captchaimg" alt="captcha" width="200" height="70"><input name="ca" type="text">'
CONSENT: Final = (
    '<!DOCTYPE html><html lang="en"><body><h1 id="headingText"><span>Sign in to X</span></h1>'
    "<p>X wants access to your Google Account: your name, e-mail address and picture.</p>"
    '<form method="post" action="/v3/signin/consent"><input type="hidden" name="TL" value="{}">'
    '<button name="answer" value="yes">Continue</button><button name="answer" value="no">Cancel</button>'
    "</form></body></html>"
)


class Google:
    """Sign-ins on their way, by a ticket in the form."""

    def __init__(self, people: People) -> None:
        self.people = people
        self._tickets: dict[str, Person] = {}
        self._passed: dict[str, Person] = {}

    def answer(self, request: Request) -> Response:
        """A page under /v3/signin/: GET begins, each POST goes on."""
        if not request.path.startswith("/v3/signin/"):
            return text_response("<h1>404</h1>", status=404)
        if request.method != "POST":
            return _form("identifier")
        given = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        person = self._tickets.get(given.get("TL", ""))
        if person is None:
            return self._identified(given.get("identifier", ""))
        if request.path.endswith("/consent"):
            return self._back(person) if given.get("answer") == "yes" else _refused()
        if request.path.endswith("/totp"):
            return self._code(person, given)
        return self._password(person, given)

    def passed(self, ticket: str) -> Person | None:
        """Whom Google vouches for, once."""
        return self._passed.pop(ticket, None)

    def _identified(self, text: str) -> Response:
        person = self.people.find(text)
        if person is None or not person.google or text.casefold() != person.email.casefold():
            return _form("identifier", error="Couldn\u2019t find your Google Account")
        ticket = token_urlsafe(12)
        self._tickets[ticket] = person
        return _form("pwd", ticket, more=CAPTCHA if person.google_challenge == "captcha" else "")

    def _password(self, person: Person, given: dict[str, str]) -> Response:
        if given.get("Passwd") != person.password:
            person.counts["wrong"] += 1
            return _form("pwd", given["TL"], "Wrong password. Try again or click Forgot password to reset it.")
        return _form("totp", given["TL"]) if person.google_totp else self._passed_on(person, given["TL"])

    def _code(self, person: Person, given: dict[str, str]) -> Response:
        if not accepts(person.totp, given.get("totpPin", "")):
            person.counts["wrong"] += 1
            return _form("totp", given["TL"], "Wrong code. Try again.")
        return self._passed_on(person, given["TL"])

    def _passed_on(self, person: Person, ticket: str) -> Response:
        """Back to X, or what Google has against it."""
        if person.google_challenge in STOPS:
            return text_response(STOP.format(*STOPS[person.google_challenge]))
        if person.google_challenge == "consent":
            return text_response(CONSENT.format(escape(ticket)))
        return _refused() if person.google_challenge == "refused" else self._back(person)

    def _back(self, person: Person) -> Response:
        ticket = token_urlsafe(12)
        self._passed[ticket] = person
        return redirect(f"{BACK}?ticket={ticket}")


def _refused() -> Response:
    """Back to X without a word for the person."""
    return redirect(f"{BACK}?error=access_denied")


def _form(step: str, ticket: str = "", error: str = "", more: str = "") -> Response:
    action = "/v3/signin/identifier" if step == "identifier" else f"/v3/signin/challenge/{step}"
    text = FORM.format(
        title=TITLES[step],
        action=action,
        ticket=escape(ticket),
        input=INPUTS[step] + more,
        error=error,
        button=BUTTONS[step],
    )
    return text_response(text)
