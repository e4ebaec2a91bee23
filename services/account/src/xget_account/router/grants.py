"""Owners let others use their accounts, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from xget_account.deps import LentRead, database, grant_desk
from xget_account.errors import AccountNotFound
from xget_account.schemas.lending import LentAccount
from xget_account.service.state import View
from xget_web.auth import CallerDep
from xget_web.grants import grants_router
from xget_web.paging import PageOut, PageParams
from xget_web.types import text

router = grants_router(
    "/api/v1/accounts/grants", "accounts", database=database, desk=grant_desk, missing=AccountNotFound
)
lent = APIRouter(prefix="/api/v1/accounts/lent", tags=["accounts"])


@lent.get("")
async def list_lent_accounts(
    lending: LentRead,
    caller: CallerDep,
    page: PageParams,
    name: Annotated[str | None, Query(description="Its user name, whatever its case."), text(100, min_length=1)] = None,
) -> PageOut[LentAccount]:
    """Accounts of others that your tasks may use: whose, their names, how they are and what is left today."""
    views, total = await lending.page(caller, page, name)
    return PageOut[LentAccount].of([_read(view) for view in views], page, total)


def _read(view: View) -> LentAccount:
    account = view.account
    return LentAccount(
        account_id=account.id,
        owner_id=account.owner_id,
        platform=account.platform,
        username=account.username,
        state=view.state,
        daily_budget=view.budget,
        budget_left=max(0, view.budget - view.used_today),
    )
