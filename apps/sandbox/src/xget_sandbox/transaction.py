"""The page and scripts from which a web client computes its `x-client-transaction-id`, and a check of that id.

The page holds a verification key and four animations; a bundle imports the sign script; the sign script names the
places in the key that choose an animation's frame and time.
"""

from __future__ import annotations

import base64
import binascii
from random import Random

from xget_sandbox.http import Request, Response, text_response

ASSETS = "https://abs.twimg.com/x-web/2026.8"
KEY_BYTES = 48
FRAMES = 16
SCRIPT = "application/javascript; charset=utf-8"


class TransactionPages:
    """Made from the world's seed, so that a restarted sandbox accepts ids computed before."""

    def __init__(self, seed: int) -> None:
        rng = Random(f"{seed}:transaction")
        self.key = rng.randbytes(KEY_BYTES)
        self._indices = [rng.randint(0, KEY_BYTES - 1) for _ in range(4)]
        self._frames = [_animation(rng) for _ in range(4)]
        self._page = self._render("entry-client-Bv3xLq91.js")
        self._logged_out = self._render("entry-client-logged-out-Dk20aPzz.js")

    def page(self, request: Request) -> Response:
        """Any HTML page of x.com; without a session the logged-out app, as on X."""
        return text_response(self._page) if request.cookies().get("auth_token") else self.logged_out()

    def logged_out(self) -> Response:
        """The page of somebody whose session X does not know."""
        return text_response(self._logged_out)

    def script(self, path: str) -> Response:
        """A file of abs.twimg.com."""
        if path.startswith("/x-web/") and "entry-client" in path:
            return text_response('const load=()=>import("./vendor-C0ffee11.js");export{load};', SCRIPT)
        if path.startswith("/x-web/") and "vendor-" in path:
            return text_response('const s=()=>import("./sign.o-7Hq2vXk0.js");export{s as sign};', SCRIPT)
        if path.startswith("/x-web/") and "sign.o-" in path:
            picks = ",".join(f"parseInt(e[{index}], 16)" for index in self._indices)
            return text_response(f"export default function(e){{return[{picks}]}}", SCRIPT)
        return text_response("<h1>404 Not Found</h1>", status=404)

    def accepts(self, header: str) -> bool:
        """Whether an id was computed with this key (X answers 404 to others)."""
        try:
            raw = base64.b64decode(header + "=" * (-len(header) % 4), validate=True)
        except (binascii.Error, ValueError):
            return False
        return len(raw) == KEY_BYTES + 22 and bytes(byte ^ raw[0] for byte in raw[1 : KEY_BYTES + 1]) == self.key

    def _render(self, entry: str) -> str:
        key = base64.b64encode(self.key).decode()
        drawings = "".join(
            f'<svg id="loading-x-anim-{number}" viewBox="0 0 40 40"><g><path d="M 0,0 h 1"></path>'
            f'<path d="{frames}"></path></g></svg>'
            for number, frames in enumerate(self._frames)
        )
        return (
            '<!DOCTYPE html><html dir="ltr" lang="en"><head><meta charset="utf-8">'
            f'<meta name="twitter-site-verification" content="{key}"><title>X</title>'
            f'<link rel="modulepreload" href="{ASSETS}/vendor-C0ffee11.js">'
            f'<script type="module" crossorigin src="{ASSETS}/{entry}"></script></head>'
            f'<body><div id="react-root"></div>{drawings}</body></html>'
        )


def _animation(rng: Random) -> str:
    """Sixteen curves of eleven numbers each: two colours, a rotation, an easing."""
    curves = []
    for _ in range(FRAMES):
        n = [rng.randint(0, 255) for _ in range(11)]
        curves.append(f" {n[0]},{n[1]} {n[2]},{n[3]} {n[4]},{n[5]} h {n[6]} s {n[7]},{n[8]} {n[9]},{n[10]} ")
    return "M 10,30 C" + "C".join(curves)
