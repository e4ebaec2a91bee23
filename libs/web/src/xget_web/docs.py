"""A documentation page that needs nothing but itself: no CDN, no font, no other file."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files

from starlette.responses import HTMLResponse, Response


def docs_page(openapi_url: str, title: str = "XGet API") -> Response:
    """The page that renders the OpenAPI document at `openapi_url` (same origin), with a console to try operations."""
    page = _read("docs.html")
    for mark, value in {
        "{{title}}": escape(title),
        "{{openapi_url}}": escape(openapi_url, quote=True),
        "{{style}}": _read("docs.css"),
        "{{script}}": _read("docs.js"),
    }.items():
        page = page.replace(mark, value)
    return HTMLResponse(page, headers={"Content-Security-Policy": _policy(), "Cache-Control": "no-cache"})


@cache
def _read(name: str) -> str:
    return files("xget_web").joinpath("static", name).read_text("utf-8")


@cache
def _policy() -> str:
    style, script = _digest(_read("docs.css")), _digest(_read("docs.js"))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
