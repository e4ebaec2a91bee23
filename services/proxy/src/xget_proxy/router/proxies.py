"""Proxies over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from xget_db.audit import Subject
from xget_kernel.errors import Forbidden
from xget_proxy.deps import (
    Checks,
    Imports,
    Kept,
    Listed,
    Proxies,
    ProxiesRead,
    Screened,
    ScreenedChange,
    ScreenedList,
    Viewed,
    Writer,
    session,
)
from xget_proxy.errors import BadRequestField, InsideNetwork, ProxyExists, ProxyNotFound
from xget_proxy.models import Proxy, idempotency
from xget_proxy.schemas import (
    CheckRequest,
    CheckResult,
    Country,
    Host,
    ImportRequest,
    ImportResult,
    LeaseRead,
    Port,
    ProxyCreate,
    ProxyFilter,
    ProxyRead,
    ProxyUpdate,
    ReputationRead,
    RotationRead,
    State,
    Type,
)
from xget_proxy.service.trail import subject_of
from xget_web.audit import by
from xget_web.auth import CallerDep
from xget_web.etags import IfMatch, Overtaken, check_if_match, etag, set_etag
from xget_web.idempotency import IdempotentRoute, idempotent
from xget_web.paging import PageOut, PageParams
from xget_web.problems import errors
from xget_web.types import PathId

router = APIRouter(prefix="/api/v1/proxies", tags=["proxies"], route_class=IdempotentRoute)

_once = idempotent(session, idempotency)
OfType = Annotated[Type | None, Query(alias="type")]


@router.get("")
async def list_proxies(
    *,
    proxies: ProxiesRead,
    viewed: Viewed,
    caller: CallerDep,
    page: PageParams,
    status: State | None = None,
    type_: OfType = None,
    country: Country | None = None,
    ip: Host | None = None,
    port: Port | None = None,
) -> PageOut[ProxyRead]:
    """Your proxies, newest first. `ip` and `port` find one by its address."""
    wanted = ProxyFilter(status=status, type=type_, country=country, ip=ip, port=port)
    items, total = await proxies.page(caller, wanted, page)
    viewed.note(by(caller), "proxy.listed", Subject("proxy", "", caller.user_id), {"found": total})
    return PageOut[ProxyRead].of(items, page, total)


@router.get("/available")
async def list_available_proxies(
    *,
    proxies: ProxiesRead,
    caller: CallerDep,
    page: PageParams,
    country: Country | None = None,
    type_: OfType = None,
) -> PageOut[ProxyRead]:
    """Your proxies that may be used now, best first."""
    items, total = await proxies.available(caller, ProxyFilter(type=type_, country=country), page)
    return PageOut[ProxyRead].of(items, page, total)


@router.post(
    "",
    status_code=201,
    dependencies=[Screened, _once],
    responses=errors(Forbidden, ProxyExists, BadRequestField, InsideNetwork),
)
async def create_proxy(body: ProxyCreate, proxies: Proxies, caller: Writer, response: Response) -> ProxyRead:
    """Add a proxy."""
    proxy = await proxies.create(body, caller)
    response.headers["Location"] = f"/api/v1/proxies/{proxy.id}"
    set_etag(response, _tag(proxy))
    return proxies.read(proxy)


@router.post("/import", dependencies=[ScreenedList, _once], responses=errors(Forbidden))
async def import_proxies(body: ImportRequest, records: Listed, imports: Imports, caller: Writer) -> ImportResult:
    """Take proxies from a list: scheme://user:pass@host:port, host:port:user:pass, host:port, or CSV."""
    return await imports.run(records, caller, internal=body.allow_internal)


@router.post("/check", responses=errors(Forbidden, ProxyNotFound))
async def check_proxies(body: CheckRequest, checks: Checks, caller: Writer) -> CheckResult:
    """Connect through proxies now and record what came of it: at most 100 at a time."""
    return await checks.check(body, caller)


@router.get("/{proxy_id}", responses=errors(ProxyNotFound))
async def get_proxy(
    proxy_id: PathId, viewed: Kept, proxies: ProxiesRead, caller: CallerDep, response: Response
) -> ProxyRead:
    """One proxy; whether it has a password is told, the password is not."""
    proxy = await proxies.get(proxy_id, caller)
    viewed.note(by(caller), "proxy.viewed", subject_of(proxy))
    set_etag(response, _tag(proxy))
    return proxies.read(proxy)


@router.get("/{proxy_id}/history", responses=errors(ProxyNotFound))
async def list_rotations(
    proxy_id: PathId, proxies: ProxiesRead, caller: CallerDep, page: PageParams
) -> PageOut[RotationRead]:
    """Which accounts came to a proxy or left it, when and why, newest first."""
    items, total = await proxies.history(proxy_id, caller, page)
    return PageOut[RotationRead].of(items, page, total)


@router.get("/{proxy_id}/leases", responses=errors(ProxyNotFound))
async def list_leases(
    proxy_id: PathId, proxies: ProxiesRead, caller: CallerDep, page: PageParams
) -> PageOut[LeaseRead]:
    """Who went out through a proxy, newest first, as long as the audit trail is kept."""
    items, total = await proxies.leases(proxy_id, caller, page)
    return PageOut[LeaseRead].of(items, page, total)


@router.get("/{proxy_id}/platforms", responses=errors(ProxyNotFound))
async def list_reputations(
    proxy_id: PathId, proxies: ProxiesRead, caller: CallerDep, page: PageParams
) -> PageOut[ReputationRead]:
    """Platforms that have shut a proxy's exit out: how often, until when it rests for them, and why."""
    found = await proxies.reputations(proxy_id, caller)
    return PageOut[ReputationRead].of(found[page.offset : page.offset + page.limit], page, len(found))


@router.put(
    "/{proxy_id}",
    dependencies=[ScreenedChange],
    responses=errors(Forbidden, ProxyNotFound, ProxyExists, Overtaken, BadRequestField, InsideNetwork),
)
async def update_proxy(
    *,
    proxy_id: PathId,
    body: ProxyUpdate,
    proxies: Proxies,
    caller: Writer,
    response: Response,
    if_match: IfMatch = None,
) -> ProxyRead:
    """Change a proxy: fields that the body leaves out stay. A new place forgets what was measured at the old one."""
    check_if_match(if_match, _tag(await proxies.get(proxy_id, caller)))
    proxy = await proxies.update(proxy_id, body, caller)
    set_etag(response, _tag(proxy))
    return proxies.read(proxy)


@router.delete("/{proxy_id}", status_code=204, responses=errors(Forbidden, ProxyNotFound))
async def delete_proxy(proxy_id: PathId, proxies: Proxies, caller: Writer) -> None:
    """Remove a proxy and its password."""
    await proxies.delete(proxy_id, caller)


def _tag(proxy: Proxy) -> str:
    """Changes when a person changes the proxy, not with each measurement."""
    return etag(proxy.id, proxy.rev)
