"""Who did, changed or saw what, and who used which account, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from xget_account.deps import UsesRead, database, views
from xget_account.errors import AccountNotFound
from xget_account.models import AUDIT
from xget_account.schemas.uses import UseRead
from xget_web.audit import audit_router
from xget_web.auth import CallerDep
from xget_web.paging import PageOut, PageParams
from xget_web.problems import errors
from xget_web.types import PathId

fixed = audit_router("/api/v1/accounts/audit", "accounts", table=AUDIT, database=database, views=views)
router = APIRouter(prefix="/api/v1/accounts/{account_id}", tags=["accounts"])


@router.get("/leases", responses=errors(AccountNotFound))
async def list_account_leases(
    account_id: PathId, uses: UsesRead, caller: CallerDep, page: PageParams
) -> PageOut[UseRead]:
    """Whose runs used the account for which operation, when first and last and how often; the latest first."""
    rows, total = await uses.page(account_id, caller, page)
    return PageOut[UseRead].of([UseRead.model_validate(row) for row in rows], page, total)
