"""`api.x.com/1.1/guest/activate.json` and `/1.1/onboarding/task.json`, as X's web client and twscrape speak them."""

from __future__ import annotations

import time
from secrets import token_urlsafe
from typing import Any, Final

import orjson

from xget_sandbox.http import Request, Response, json_response
from xget_sandbox.login.flow import Flow, Flows, Refused
from xget_sandbox.login.people import Person

ACTIVATE: Final = "/1.1/guest/activate.json"
TASK: Final = "/1.1/onboarding/task.json"
KNOWN_DEVICE: Final = "kdt"
COOKIE: Final = "Domain=.x.com; Path=/; Secure; Max-Age=34214400"


class Onboarding:
    """The two endpoints of the login, on api.x.com and under x.com/i/api."""

    def __init__(self, flows: Flows) -> None:
        self.flows = flows

    def takes(self, path: str) -> bool:
        """Whether a path is one of the two."""
        return path.removeprefix("/i/api") in (ACTIVATE, TASK)

    def answer(self, request: Request) -> Response:
        """A guest token, or the next subtasks; 4xx with X's error body."""
        if request.method != "POST":
            return _refusal(Refused("Sorry, that page does not exist.", 34, 404))
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return _refusal(Refused("Could not authenticate you", 32, 401))
        if request.path.endswith(ACTIVATE):
            return json_response({"guest_token": str(time.time_ns())})
        try:
            return self._task(request)
        except Refused as refused:
            return _refusal(refused)

    def _task(self, request: Request) -> Response:
        if not request.headers.get("x-guest-token"):
            raise Refused("Bad guest token", 239, 403)
        try:
            body = orjson.loads(request.body or b"{}")
        except orjson.JSONDecodeError as error:
            raise Refused("Could not parse the body", 366) from error
        if request.parameter("flow_name") == "login":
            return self.respond(self.flows.begin(request.cookies().get(KNOWN_DEVICE, "")))
        return self.respond(self.flows.answer(body.get("flow_token"), body.get("subtask_inputs")))

    def respond(self, flow: Flow) -> Response:
        """The subtasks that are due; with the last one come the session's cookies."""
        body: dict[str, Any] = {"flow_token": flow.token, "status": "success", "subtasks": []}
        if flow.waits_for:
            body["subtasks"] = [{"subtask_id": flow.waits_for, **_shown(flow)}]
        cookies: tuple[str, ...] = ()
        if flow.waits_for == "LoginSuccessSubtask" and flow.person is not None and not flow.done:
            flow.done = True
            cookies = (*self.session_cookies(flow.person), _device(flow, flow.person))
        return Response(200, orjson.dumps(body), cookies=cookies)

    def session_cookies(self, person: Person) -> tuple[str, ...]:
        """`Set-Cookie` values of a new session."""
        token, csrf = self.flows.people.open_session(person)
        return (f"auth_token={token}; {COOKIE}; HttpOnly", f"ct0={csrf}; {COOKIE}")


def _device(flow: Flow, person: Person) -> str:
    """`Set-Cookie` by which X knows the browser again."""
    if flow.device in person.devices:
        person.counts["known"] += 1
        return f"{KNOWN_DEVICE}={flow.device}; {COOKIE}; HttpOnly"
    device = token_urlsafe(30)
    person.devices.add(device)
    return f"{KNOWN_DEVICE}={device}; {COOKIE}; HttpOnly"


def _shown(flow: Flow) -> dict[str, Any]:
    """What a client shows for a subtask."""
    if flow.waits_for == "LoginAcid":
        by_code = flow.person is not None and flow.person.challenge == "email_code"
        hint = "Confirmation code" if by_code else "Email"
        primary = "Check your email" if by_code else "Verify your identity by entering the email address"
        return {"enter_text": {"hint_text": hint, "header": {"primary_text": {"text": primary}}}}
    if flow.waits_for == "LoginTwoFactorAuthChallenge":
        return {"enter_text": {"hint_text": "Enter code", "header": {"primary_text": {"text": "Enter your code"}}}}
    if flow.waits_for == "LoginEnterAlternateIdentifierSubtask":
        text = "Enter your phone number or username"
        secondary = "There was unusual login activity on your account. To help keep your account safe, please enter it."
        header = {"primary_text": {"text": text}, "secondary_text": {"text": secondary}}
        return {"enter_text": {"hint_text": "Phone or username", "header": header}}
    if flow.waits_for == "DenyLoginSubtask":
        text = "We blocked an attempt to access your account because we weren't sure it was really you."
        return {"cta": {"primary_text": {"text": "Suspicious login prevented"}, "secondary_text": {"text": text}}}
    if flow.waits_for == "ArkoseLogin":
        return {"web_modal": {"url": "https://iframe.arkoselabs.com/sandbox", "completion_deeplink": ""}}
    return {}


def _refusal(refused: Refused) -> Response:
    return json_response({"errors": [{"code": refused.code, "message": str(refused)}]}, refused.status)
