"""Everything that somebody without a session meets: the login endpoints and pages of X, Google and the captcha."""

from __future__ import annotations

from typing import Final

from xget_sandbox.http import Request, Response
from xget_sandbox.login.flow import Flows
from xget_sandbox.login.onboarding import Onboarding
from xget_sandbox.login.people import People

LOGIN_HOSTS: Final = frozenset({"accounts.google.com", "iframe.arkoselabs.com"})


class Door:
    """Answers what belongs to logging in, None for all else."""

    def __init__(self, people: People) -> None:
        self.onboarding = Onboarding(Flows(people))

    def answer(self, request: Request) -> Response | None:
        """The answer, or None when the path is none of the login's."""
        if self.onboarding.takes(request.path):
            return self.onboarding.answer(request)
        return None
