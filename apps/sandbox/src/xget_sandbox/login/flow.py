"""X's login flow: a client is given subtasks, answers them with the flow token, and is given the next ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any, Final

from xget_sandbox.login.people import People, Person
from xget_sandbox.login.totp import accepts

INCORRECT: Final = "Incorrect. Please try again."
STRANGE: Final = {
    "unusual": "LoginEnterAlternateIdentifierSubtask",
    "captcha": "ArkoseLogin",
    "strange": "LoginRiddle",
}
Answer = Mapping[str, Any]


class Refused(Exception):
    """X's error body: status, code and message."""

    def __init__(self, message: str, code: int = 399, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(slots=True)
class Flow:
    """One login on its way. `waits_for` is the subtask that the client has to answer next."""

    token: str
    waits_for: str = "LoginJsInstrumentationSubtask"
    person: Person | None = None
    device: str = ""
    """The browser's `kdt` cookie of an earlier login."""
    done: bool = False


class Flows:
    """All logins on their way."""

    def __init__(self, people: People) -> None:
        self.people = people
        self._flows: dict[str, Flow] = {}
        self._steps: dict[str, Callable[[Flow, Answer], str]] = {
            "LoginJsInstrumentationSubtask": lambda flow, answer: "LoginEnterUserIdentifierSSO",
            "LoginEnterUserIdentifierSSO": self._identified,
            "LoginEnterAlternateIdentifierSubtask": self._named_again,
            "ArkoseLogin": self._human,
            "LoginEnterPassword": self._password,
            "AccountDuplicationCheck": self._known_device,
            "LoginTwoFactorAuthChallenge": self._second_factor,
            "LoginAcid": self._confirmed,
            "LoginSuccessSubtask": lambda flow, answer: "",
        }

    def begin(self, device: str = "") -> Flow:
        """A new login."""
        flow = Flow(token=token_urlsafe(24), device=device)
        self._flows[flow.token] = flow
        return flow

    def answer(self, token: object, inputs: object) -> Flow:
        """Take the client's answer to the subtask that is due. Raises Refused."""
        flow = self._flows.get(str(token))
        if flow is None:
            raise Refused("flow_token is invalid", code=366)
        given = inputs[0] if isinstance(inputs, list) and inputs and isinstance(inputs[0], dict) else {}
        if given.get("subtask_id", flow.waits_for) != flow.waits_for or flow.waits_for not in self._steps:
            raise Refused("Subtask response is not expected", code=366)
        flow.waits_for = self._steps[flow.waits_for](flow, given)
        return flow

    def passed_by_google(self, person: Person, device: str = "") -> Flow:
        """A login that Google has vouched for."""
        flow = self.begin(device)
        flow.person = person
        flow.waits_for = self._after_second_factor(flow) if person.google_totp else self._after_password(flow)
        return flow

    def _identified(self, flow: Flow, answer: Answer) -> str:
        settings = answer.get("settings_list", {}).get("setting_responses", [{}])
        text = settings[0].get("response_data", {}).get("text_data", {}).get("result", "")
        flow.person = self.people.find(text)
        if flow.person is None:
            raise Refused("Sorry, we could not find your account.")
        flow.person.counts["started"] += 1
        return STRANGE.get(flow.person.challenge, "LoginEnterPassword")

    def _named_again(self, flow: Flow, answer: Answer) -> str:
        if not _person(flow).is_called(_text(answer)):
            raise self._wrong(flow)
        return "LoginEnterPassword"

    def _human(self, flow: Flow, answer: Answer) -> str:
        """Only the page's own button sends this: no program of ours does."""
        if answer.get("web_modal", {}).get("completion_deeplink") != "twitter://onboarding/web_modal/next_link?human":
            raise Refused("Please verify that you are human.", code=366)
        return "LoginEnterPassword"

    def _password(self, flow: Flow, answer: Answer) -> str:
        person = _person(flow)
        if not person.password or answer.get("enter_password", {}).get("password") != person.password:
            raise self._wrong(flow, "Wrong password!")
        return "AccountDuplicationCheck"

    def _known_device(self, flow: Flow, answer: Answer) -> str:
        return self._after_password(flow)

    def _after_password(self, flow: Flow) -> str:
        person = _person(flow)
        if person.challenge == "suspended":
            raise Refused("Your account is suspended and is not permitted to access this feature.", 64, 403)
        if person.challenge == "denied":
            return "DenyLoginSubtask"
        if person.totp:
            return "LoginTwoFactorAuthChallenge"
        return self._after_second_factor(flow)

    def _second_factor(self, flow: Flow, answer: Answer) -> str:
        if not accepts(_person(flow).totp, _text(answer)):
            raise self._wrong(flow)
        return self._after_second_factor(flow)

    def _after_second_factor(self, flow: Flow) -> str:
        person = _person(flow)
        if person.challenge == "email_code":
            self.people.send_code(person)
        return "LoginAcid" if person.challenge in ("email_code", "email") else "LoginSuccessSubtask"

    def _confirmed(self, flow: Flow, answer: Answer) -> str:
        person, text = _person(flow), _text(answer).casefold()
        wanted = person.code if person.challenge == "email_code" else person.email
        if text != wanted.casefold():
            raise self._wrong(flow)
        return "LoginSuccessSubtask"

    def _wrong(self, flow: Flow, message: str = INCORRECT) -> Refused:
        _person(flow).counts["wrong"] += 1
        return Refused(message)


def _person(flow: Flow) -> Person:
    if flow.person is None:
        raise Refused("flow_token is invalid", code=366)
    return flow.person


def _text(answer: Answer) -> str:
    return str(answer.get("enter_text", {}).get("text", "")).strip()
