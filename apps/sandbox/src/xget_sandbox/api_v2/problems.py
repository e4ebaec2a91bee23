"""How API v2 says no: problem bodies, and errors beside data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xget_sandbox.http import Response, json_response

Json = dict[str, Any]
TYPES = "https://api.twitter.com/2/problems/"
NOT_YOURS = "not-authorized-for-resource"
CATALOGUE = "https://developer.twitter.com/en/docs/twitter-api/tweets/search/integrate/operators"


class Refused(Exception):
    """A request that gets a problem in place of an answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def problem(status: int, title: str, detail: str, kind: str = "", **more: Any) -> Response:
    """A problem body; `kind` is the last word of its type."""
    body = {"title": title, "detail": detail, "type": TYPES + kind if kind else "about:blank"}
    return json_response(body | ({} if kind else {"status": status}) | more, status)


def plain(status: int) -> Response:
    """A problem that says no more than its status."""
    words = {401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests", 503: "Service Unavailable"}
    title = words.get(status, "Internal Server Error")
    return problem(status, title, title)


def invalid(parameter: str, value: str, message: str) -> Refused:
    """400 for one parameter."""
    errors = [{"parameters": {parameter: [value]}, "message": message}]
    detail = "One or more parameters to your request was invalid."
    return Refused(problem(400, "Invalid Request", detail, "invalid-request", errors=errors))


def not_enrolled() -> Response:
    """403: the app's plan does not have the endpoint."""
    detail = (
        "When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens from a Twitter "
        "developer App that is attached to a Project. You can create a project via the developer portal."
    )
    return problem(
        403, "Client Forbidden", detail, "client-forbidden",
        client_id="27000001", reason="client-not-enrolled", required_enrollment="Appropriate Level of API Access",
        registration_url="https://developer.twitter.com/en/docs/projects/overview",
    )  # fmt: skip


def capped(status: int = 429) -> Response:
    """429, or 403 where clients have reported that: the month's posts of the project are used up."""
    return problem(
        status, "UsageCapExceeded", "Usage cap exceeded: Monthly product cap", "usage-capped",
        account_id=27000001, product_name="standard-basic", period="Monthly", scope="Product",
    )  # fmt: skip


def unsupported() -> Response:
    """403: the endpoint wants a user's token, or an app's."""
    detail = "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint."
    return problem(403, "Unsupported Authentication", detail, "unsupported-authentication")


def no_credits() -> Response:
    """402: a plan that is paid by use has nothing left."""
    detail = "Your enrolled account [27000001] does not have any credits to fulfill this request."
    return problem(402, "CreditsDepleted", detail, "credits")


PROBLEMS: dict[str, Callable[[], Response]] = {
    "32": lambda: plain(401),
    "401": lambda: plain(401),
    "402": no_credits,
    "403": lambda: problem(403, "Forbidden", "Forbidden"),
    "404": lambda: plain(404),
    "500": lambda: plain(503),
    "loadshed": lambda: plain(503),
    "214": lambda: invalid("query", "?", "There were errors processing your request").response,
    "too-fast": lambda: plain(429),
    "usage-capped": capped,
    "usage-capped-403": lambda: capped(403),
    "not-enrolled": not_enrolled,
    "unsupported-auth": unsupported,
    "unknown": lambda: problem(418, "Strange", "Strange things happen to @somebody at https://x.com/somebody."),
}
"""Faults by their kind, as the API says them."""


def not_found(kind: str, parameter: str, value: str) -> Json:
    """An error beside data: there is none by this name or number."""
    named = {"username": f"username: [{value}]", "ids": f"ids: [{value}]"}.get(parameter, f"{parameter}: [{value}]")
    return _about(kind, parameter, value, "Not Found Error", f"Could not find {kind} with {named}.")


def suspended(parameter: str, value: str) -> Json:
    """An error beside data: the user is suspended."""
    return _about("user", parameter, value, "Forbidden", f"User has been suspended: [{value}].")


def not_yours(kind: str, parameter: str, value: str) -> Json:
    """An error beside data: for those only whom its owner lets in."""
    detail = f"Sorry, you are not authorized to see the {kind} with {parameter}: [{value}]."
    return _about(kind, parameter, value, "Authorization Error", detail) | {"type": TYPES + NOT_YOURS}


def _about(kind: str, parameter: str, value: str, title: str, detail: str) -> Json:
    return {
        "detail": detail, "parameter": parameter, "resource_id": value, "resource_type": kind, "title": title,
        "type": TYPES + "resource-not-found", "value": value,
    }  # fmt: skip
