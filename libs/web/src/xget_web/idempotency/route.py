"""The dependency that claims a key and the route class that remembers the answer."""

from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession

from xget_kernel.clock import Clock, SystemClock
from xget_web.auth import CallerDep
from xget_web.idempotency.claims import FIELD, Claim

KeyHeader = Annotated[
    str | None,
    Header(
        alias=FIELD,
        min_length=1,
        max_length=128,
        pattern=r"^[!-~]+$",
        description="Any text of your own: sent again with the same body, the same answer comes back.",
    ),
]


class IdempotentRoute(APIRoute):
    """A route whose answers can be remembered; `route_class=` of routers that use `idempotent`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def remember(request: Request) -> Response:
            response = await handle(request)
            claim: Claim | None = getattr(request.state, "idempotency", None)
            if claim is not None:
                await claim.fill(response)
            return response

        return remember


def idempotent(session: Any, table: Table, clock: Clock | None = None) -> Any:
    """A dependency for POST routes. `session` is what `session_dep` returned, the one the route itself uses."""
    time = clock or SystemClock()

    async def claim_key(
        request: Request,
        open_session: Annotated[AsyncSession, session],
        caller: CallerDep,
        key: KeyHeader = None,
    ) -> None:
        if not isinstance(request.scope.get("route"), IdempotentRoute):
            raise RuntimeError("A route with idempotent() needs APIRouter(route_class=IdempotentRoute).")
        if key is None:
            return
        operation = f"{request.method} {request.url.path}"[:300]
        claim = Claim(open_session, table, caller.user_id, operation, key)
        digest = sha256(request.url.query.encode() + b"\n" + await request.body()).hexdigest()
        await claim.take(digest, int(time.now().timestamp()))
        request.state.idempotency = claim

    return Depends(claim_key, scope="function")
