"""Who did, changed or saw what, and who lets whom use his proxies, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from xget_proxy.deps import LentRead, database, grant_desk, views
from xget_proxy.errors import ProxyNotFound
from xget_proxy.models import AUDIT
from xget_proxy.schemas.lending import LentProxy
from xget_web.audit import audit_router
from xget_web.auth import CallerDep
from xget_web.grants import grants_router
from xget_web.paging import PageOut, PageParams

trail = audit_router("/api/v1/proxies/audit", "proxies", table=AUDIT, database=database, views=views)
grants = grants_router("/api/v1/proxies/grants", "proxies", database=database, desk=grant_desk, missing=ProxyNotFound)
lent = APIRouter(prefix="/api/v1/proxies/lent", tags=["proxies"])


@lent.get("")
async def list_lent_proxies(lending: LentRead, caller: CallerDep, page: PageParams) -> PageOut[LentProxy]:
    """Proxies of others that your tasks may go out through: whose, how they are and what is left today."""
    items, total = await lending.page(caller, page)
    return PageOut[LentProxy].of(items, page, total)
