"""Everything that somebody without a session meets: the login endpoints and pages of X, Google and the captcha."""

from __future__ import annotations

from typing import Final

from xget_sandbox.http import Request, Response, text_response
from xget_sandbox.login import google
from xget_sandbox.login.flow import Flows, Refused
from xget_sandbox.login.onboarding import KNOWN_DEVICE, Onboarding
from xget_sandbox.login.pages import CAPTCHA, LOCKED, login_page, redirect
from xget_sandbox.login.people import People, Person

ARKOSE: Final = "iframe.arkoselabs.com"
LOGIN_HOSTS: Final = frozenset({google.HOST, ARKOSE})
LOGIN_PAGES: Final = frozenset({"/login", "/i/flow/login"})


class Door:
    """Answers what belongs to logging in, None for all else."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.flows = Flows(people)
        self.onboarding = Onboarding(self.flows)
        self.google = google.Google(people)

    def answer(self, request: Request) -> Response | None:
        """The answer, or None when the path is none of the login's."""
        if request.host == google.HOST:
            return self.google.answer(request)
        if request.host == ARKOSE:
            return text_response(CAPTCHA)
        if self.onboarding.takes(request.path):
            return self.onboarding.answer(request)
        return None if request.host.startswith("api.") else self._page(request)

    def _page(self, request: Request) -> Response | None:
        person = self._who(request)
        if request.path in LOGIN_PAGES:
            if person is not None:
                return redirect("/home")
            self.people.pages += 1
            return login_page()
        if request.path == "/i/flow/google":
            return self._from_google(request)
        if request.path == "/account/access":
            return self._unlock(request, person)
        if request.path == "/home" and person is not None and person.challenge == "human":
            return redirect("/account/access")
        return None

    def _from_google(self, request: Request) -> Response:
        person = self.google.passed(request.parameter("ticket") or "")
        if person is None:
            return redirect("/i/flow/login")
        try:
            answer = self.onboarding.respond(
                self.flows.passed_by_google(person, request.cookies().get(KNOWN_DEVICE, ""))
            )
        except Refused as refused:
            return text_response(f"<h1>{refused}</h1>", status=refused.status)
        return login_page(answer.body, answer.cookies)

    def _unlock(self, request: Request, person: Person | None) -> Response:
        """Only a person presses this button."""
        if person is None or person.challenge != "human":
            return redirect("/home")
        if request.method != "POST":
            return text_response(LOCKED)
        person.challenge = "none"
        return redirect("/home")

    def _who(self, request: Request) -> Person | None:
        name = self.people.sessions.get(request.cookies().get("auth_token", ""), "")
        return self.people.all.get(name.casefold())
