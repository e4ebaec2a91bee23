"""Who is asking: the caller of a request, from its access token."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from xget_kernel.caller import LOCAL_ADMIN, Caller
from xget_kernel.errors import Unauthenticated
from xget_web.state import web_state
from xget_web.tokens import TokenVerifier

__all__ = ["CallerDep", "TokenVerifier", "current_caller"]

_bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", scheme_name="bearer", description="Access token (ES256 JWT)."
)
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="xget"'}


async def current_caller(request: Request) -> Caller:
    """The verified caller. Raises Unauthenticated (401); in open mode a request without a token is the local admin."""
    state = web_state(request)
    header = request.headers.get("authorization")
    if header is None:
        if state.open_mode:
            return LOCAL_ADMIN
        raise Unauthenticated("Send an access token in the header Authorization: Bearer <token>.", headers=CHALLENGE)
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or state.verifier is None:
        raise Unauthenticated("The Authorization header must be Bearer <access token>.", headers=CHALLENGE)
    return await state.verifier.verify(token.strip())


async def _documented_caller(
    _scheme: Annotated[object, Depends(_bearer)], caller: Annotated[Caller, Depends(current_caller)]
) -> Caller:
    return caller


CallerDep = Annotated[Caller, Depends(_documented_caller)]
