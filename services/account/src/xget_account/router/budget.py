"""What accounts have left, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from xget_account.deps import Budgets
from xget_account.schemas.budget import BudgetPage
from xget_web.auth import CallerDep
from xget_web.paging import PageParams
from xget_web.types import text

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])
Word = Annotated[str | None, Query(), text(64, min_length=1)]


@router.get("/budget")
async def get_budget(
    *, budgets: Budgets, caller: CallerDep, page: PageParams, platform: Word = None, operation: Word = None
) -> BudgetPage:
    """What your accounts have left: by operation over all of them, by account and operation, and in total."""
    return await budgets.page(caller, page, platform, operation)
