"""Providers' lists over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from xget_kernel.errors import Forbidden
from xget_proxy.deps import AdmittedHost, HostAdmitted, Operator, Providers, Rows, session
from xget_proxy.errors import BadProvider, ProviderExists, ProviderNotFound
from xget_proxy.models import idempotency
from xget_proxy.schemas import ProviderCreate, ProviderRead
from xget_web.auth import CallerDep
from xget_web.idempotency import IdempotentRoute, idempotent
from xget_web.paging import PageOut, PageParams
from xget_web.problems import errors
from xget_web.types import PathId

router = APIRouter(prefix="/api/v1/proxies/providers", tags=["proxies"], route_class=IdempotentRoute)

_once = idempotent(session, idempotency)


@router.get("")
async def list_providers(providers: Providers, caller: CallerDep, page: PageParams) -> PageOut[ProviderRead]:
    """Your providers' lists and what their last refresh brought; the URL is shown without what may be secret in it."""
    items, total = await providers.page(caller, page)
    return PageOut[ProviderRead].of(items, page, total)


@router.post(
    "",
    status_code=201,
    dependencies=[HostAdmitted, _once],
    responses=errors(Forbidden, BadProvider, ProviderExists),
)
async def create_provider(
    body: ProviderCreate, host: AdmittedHost, providers: Providers, caller: Operator, rows: Rows
) -> ProviderRead:
    """Take proxies from a provider's list, again and again; the first time within seconds, by the worker."""
    return await providers.create(body, host, caller, rows)


@router.post("/{provider_id}/refresh", responses=errors(Forbidden, ProviderNotFound))
async def refresh_provider(provider_id: PathId, providers: Providers, caller: Operator) -> ProviderRead:
    """Read a list now. What went wrong stands in `last_error`; then everything stays as it was."""
    return await providers.refresh(provider_id, caller)


@router.delete("/{provider_id}", status_code=204, responses=errors(Forbidden, ProviderNotFound))
async def delete_provider(provider_id: PathId, providers: Providers, caller: Operator) -> None:
    """Forget a provider; its proxies are retired, not deleted."""
    await providers.delete(provider_id, caller)
