"""Idempotency-Key on POST: the same request twice is one effect and the same answer.

    router = APIRouter(prefix="/tasks", route_class=IdempotentRoute)

    @router.post("", status_code=201, dependencies=[idempotent(SessionDepends, idempotency)])

The stored answer is written in the request's own transaction, so effect and memory commit together or not at all.
A second request that comes while the first runs waits for it, and is refused with 409 when that takes too long.
"""

from xget_web.idempotency.route import IdempotentRoute, idempotent
from xget_web.idempotency.table import idempotency_table

__all__ = ["IdempotentRoute", "idempotency_table", "idempotent"]
