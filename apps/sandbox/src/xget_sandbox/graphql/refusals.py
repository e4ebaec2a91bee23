"""The answers of X when it does not answer."""

from __future__ import annotations

from xget_sandbox.faults import Fault
from xget_sandbox.http import Response, json_response, text_response

CLOUDFLARE = (
    "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
    "<body><h1>Sorry, you have been blocked</h1><p>You are unable to access x.com</p></body></html>"
)
ERRORS = {
    "88": (429, 88, "Rate limit exceeded."),
    "89": (401, 89, "Invalid or expired token."),
    "131": (500, 131, "Dependency: Internal error."),
    "179": (403, 179, "Sorry, you are not authorized to see this status."),
    "214": (400, 214, "BadRequest: bad cursor"),
    "336": (400, 336, "The following features cannot be null: responsive_web_new_flag_enabled"),
    "353": (403, 353, "This request requires a matching csrf cookie and header."),
    "366": (400, 366, "flow name LoginFlow is currently not accessible"),
    "398": (403, 398, "Can't complete your login right now."),
    "399": (401, 399, "Could not log you in now. Please try again later."),
    "unknown": (418, 9999, "Strange things happen to @somebody at https://x.com/somebody."),
    "64": (403, 64, "Your account is suspended and is not permitted to access this feature."),
    "32": (401, 32, "Could not authenticate you."),
    "326": (
        403,
        326,
        "Authorization: Denied by access control: To protect our users from spam and other malicious activity, "
        "this account is temporarily locked. Please log in to https://twitter.com to unlock your account.",
    ),
    "226": (
        403,
        226,
        "This request looks like it might be automated. To protect our users from spam and other malicious activity, "
        "we can't complete this action right now. Please try again later.",
    ),
}


def refusal(kind: str) -> Response:
    """The answer of one of X's error codes."""
    status, code, message = ERRORS[kind]
    return json_response({"errors": [{"code": code, "message": message}]}, status)


def too_many() -> Response:
    """The budget is used up."""
    return text_response("Rate limit exceeded\n", "text/plain; charset=utf-8", 429)


def struck(fault: Fault) -> Response | None:
    """What a fault answers in place of the page; None when it spoils the page itself."""
    if fault.kind in ERRORS:
        return refusal(fault.kind)
    if fault.kind == "loadshed":
        error = {"message": "LoadShed: the service is over capacity", "name": "LoadShedError", "kind": "Operational"}
        return json_response({"errors": [error], "data": {}}, 503)
    if fault.kind == "html":
        made = text_response(CLOUDFLARE, status=403)
        return Response(made.status, made.body, made.content_type, {"server": "cloudflare", "cf-ray": "8f00ba4-FRA"})
    if fault.kind in ("401", "403", "404", "500"):
        return json_response({}, int(fault.kind))
    return PAGES[fault.kind]() if fault.kind in PAGES else None


PAGES = {
    "88-room": lambda: json_response({"errors": [{"code": 88, "message": "Rate limit exceeded."}]}, 200),
    "502-html": lambda: text_response("<html><body><h1>502 Bad Gateway</h1></body></html>", status=502),
    "wall": lambda: text_response("<html><body>Unusual traffic from your network</body></html>", status=403),
    "login-redirect": lambda: Response(302, b"", headers={"location": "https://x.com/i/flow/login"}),
    "redirect": lambda: Response(302, b"", headers={"location": "https://x.com/tos"}),
    "logged-out": lambda: text_response('<html><a href="/i/flow/login">Log in</a></html>', status=200),
    "no-instructions": lambda: json_response(
        {"data": {"search_by_raw_query": {"search_timeline": {"timeline": NOTHING}}}}
    ),
    "stale-query": lambda: json_response({"errors": [{"message": "Query not found"}]}, 404),
    "no-transaction": lambda: Response(404),
    "expire": lambda: refusal("32"),
    "empty-body": lambda: Response(200, b""),
}
NOTHING: dict[str, object] = {"instructions": []}


def spoilt(fault: Fault | None, body: bytes, headers: dict[str, str]) -> Response:
    """The page, as a fault lets it through."""
    if fault is None:
        return Response(200, body, headers=headers)
    if fault.kind == "malformed":
        return Response(200, body[: len(body) * 2 // 3], headers=headers)
    return Response(
        200, body, headers=headers, drop=fault.kind == "drop", seconds=fault.value if fault.kind == "slow" else 0.0
    )
