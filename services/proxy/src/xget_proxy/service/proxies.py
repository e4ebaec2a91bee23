"""People keep their proxies: list, add, change, remove."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.ids import new_id
from xget_kernel.pages import PageQuery
from xget_proxy.errors import BadRequestField, ProxyExists, ProxyNotFound
from xget_proxy.models import ACTIVE, Proxy
from xget_proxy.repository import ProxyRepository
from xget_proxy.schemas import LeaseRead, ProxyCreate, ProxyFilter, ProxyRead, ProxyUpdate, ReputationRead, RotationRead
from xget_proxy.service.health import score, state
from xget_proxy.service.trail import changed, subject_of
from xget_proxy.service.vault import Vault

_PLACE = ("type", "ip", "port")
_NULLABLE = ("country", "city", "isp", "max_concurrency", "daily_budget")


class ProxyService:
    """Use cases of proxies within one transaction. Rows of others are as if they were not there."""

    def __init__(self, proxies: ProxyRepository, vault: Vault, clock: Clock) -> None:
        self._proxies = proxies
        self._vault = vault
        self._clock = clock

    async def page(self, caller: Caller, wanted: ProxyFilter, page: PageQuery) -> tuple[Sequence[ProxyRead], int]:
        """One page of the caller's proxies, newest first, and how many there are."""
        rows, total = await self._proxies.page(caller.owner_filter, wanted, page, self._clock.now())
        return [self.read(proxy) for proxy in rows], total

    async def available(self, caller: Caller, wanted: ProxyFilter, page: PageQuery) -> tuple[Sequence[ProxyRead], int]:
        """One page of the proxies that may be used now, best first, and how many there are."""
        rows, total = await self._proxies.available(caller.owner_filter, wanted, page, self._clock.now())
        return [self.read(proxy) for proxy in rows], total

    async def get(self, proxy_id: str, caller: Caller) -> Proxy:
        """One proxy. Raises ProxyNotFound (404)."""
        proxy = await self._proxies.get(proxy_id, caller.owner_filter)
        if proxy is None:
            raise ProxyNotFound()
        return proxy

    async def create(self, body: ProxyCreate, caller: Caller) -> Proxy:
        """Add a proxy. Raises ProxyExists (409) and BadRequestField (422)."""
        _check_login(body.username or "", bool(body.password))
        place = (body.type, body.ip, body.port, body.username or "")
        if await self._proxies.same(caller.user_id, [place]):
            raise ProxyExists()
        proxy = fresh(caller.user_id, place, self._clock.now())
        proxy.country, proxy.city, proxy.isp, proxy.status = body.country, body.city, body.isp, body.status
        proxy.allow_internal, proxy.rotating = body.allow_internal, body.rotating
        proxy.max_concurrency, proxy.daily_budget = body.max_concurrency, body.daily_budget
        self._vault.seal(proxy, body.password)
        await self._proxies.add([proxy])
        self._proxies.trail.note("proxy.created", subject_of(proxy), {"type": proxy.type})
        return proxy

    async def update(self, proxy_id: str, body: ProxyUpdate, caller: Caller) -> Proxy:
        """Change what the body names. Raises ProxyNotFound (404), ProxyExists (409), BadRequestField (422)."""
        proxy = await self.get(proxy_id, caller)
        changes = body.model_dump(exclude_unset=True)
        was = {name: getattr(proxy, name) for name in changes if name != "password"}
        before = (proxy.type, proxy.ip, proxy.port, proxy.username)
        await self._move(proxy, changes)
        if changes.keys() & {"country", "city", "isp"}:
            proxy.located = False
        if body.rotating is not None:
            proxy.rotating = body.rotating
        for name in changes.keys() & set(_NULLABLE):  # null empties
            setattr(proxy, name, changes[name])
        if body.allow_internal is not None:
            proxy.allow_internal = body.allow_internal
        if body.status is not None:
            proxy.status, proxy.pause_until, proxy.failures, proxy.pauses = body.status, None, 0, 0
            proxy.retired_at = None if body.status == ACTIVE else proxy.retired_at
        if body.status == ACTIVE or (proxy.type, proxy.ip, proxy.port, proxy.username) != before:
            await self._proxies.lending.forget([proxy.id])
        proxy.rev += 1
        proxy.updated_at = self._clock.now()
        await self._proxies.save()
        if told := changed(was, proxy):
            self._proxies.trail.note("proxy.updated", subject_of(proxy), {"changed": told})
        if "password" in changes:
            self._proxies.trail.note("proxy.secrets_replaced", subject_of(proxy), {"secrets": ["password"]})
        return proxy

    async def history(self, proxy_id: str, caller: Caller, page: PageQuery) -> tuple[Sequence[RotationRead], int]:
        """Accounts that came to a proxy or left it, newest first. Raises ProxyNotFound (404)."""
        await self.get(proxy_id, caller)
        rows, total = await self._proxies.leases.rotations(proxy_id, page)
        return [RotationRead.model_validate(row, from_attributes=True) for row in rows], total

    async def leases(self, proxy_id: str, caller: Caller, page: PageQuery) -> tuple[Sequence[LeaseRead], int]:
        """Who leased a proxy, newest first. Raises ProxyNotFound (404)."""
        await self.get(proxy_id, caller)
        rows, total = await self._proxies.leases.of_proxy(proxy_id, page)
        return [LeaseRead.model_validate(row, from_attributes=True) for row in rows], total

    async def reputations(self, proxy_id: str, caller: Caller) -> Sequence[ReputationRead]:
        """What platforms think of a proxy, by platform. Raises ProxyNotFound (404)."""
        await self.get(proxy_id, caller)
        rows = await self._proxies.lending.of_proxy(proxy_id)
        return [ReputationRead.model_validate(row, from_attributes=True) for row in rows]

    async def delete(self, proxy_id: str, caller: Caller) -> None:
        """Remove a proxy. Raises ProxyNotFound (404)."""
        proxy = await self.get(proxy_id, caller)
        self._proxies.trail.note("proxy.deleted", subject_of(proxy), {"type": proxy.type})
        await self._proxies.delete(proxy, self._clock.now())

    def read(self, proxy: Proxy) -> ProxyRead:
        """The body of a read."""
        names = ProxyRead.model_fields.keys() - {
            "status",
            "password_set",
            "username",
            "used_today",
            "latencies",
            "score",
        }
        values: dict[str, Any] = {name: getattr(proxy, name) for name in names}
        now = self._clock.now()
        more = {"username": proxy.username or None, "password_set": proxy.password is not None}
        used = proxy.used_today if proxy.used_on == now.date().isoformat() else 0
        return ProxyRead.model_validate(
            {
                **values,
                **more,
                "used_today": used,
                "latencies": proxy.latencies or [],
                "score": score(proxy),
                "status": state(proxy, now),
            }
        )

    async def _move(self, proxy: Proxy, changes: dict[str, Any]) -> None:
        given = {name: changes[name] for name in _PLACE if changes.get(name) is not None}
        username = (changes["username"] or "") if "username" in changes else proxy.username
        has_password = bool(changes["password"]) if "password" in changes else proxy.password is not None
        _check_login(username, has_password)
        place = (given.get("type", proxy.type), given.get("ip", proxy.ip), given.get("port", proxy.port), username)
        if place != (proxy.type, proxy.ip, proxy.port, proxy.username):
            if await self._proxies.same(proxy.owner_id, [place]):
                raise ProxyExists()
            if place[1] != proxy.ip:
                proxy.allow_internal = False  # was said of the other place
            proxy.type, proxy.ip, proxy.port, proxy.username = place
            _forget(proxy)
        if "password" in changes:
            self._vault.seal(proxy, changes["password"])


def fresh(owner_id: str, place: tuple[str, str, int, str], now: datetime) -> Proxy:
    """A new proxy of which nothing is known yet."""
    type_, ip, port, username = place
    return Proxy(
        id=new_id(),
        owner_id=owner_id,
        type=type_,
        ip=ip,
        port=port,
        username=username,
        failures=0,
        pauses=0,
        status=ACTIVE,
        allow_internal=False,
        rotating=False,
        located=False,
        used_today=0,
        rev=1,
        created_at=now,
        updated_at=now,
    )


def _forget(proxy: Proxy) -> None:
    """What was measured elsewhere says nothing about the new place."""
    proxy.latency = proxy.success_rate = proxy.last_check = proxy.error_msg = proxy.check_at = None
    proxy.latencies = proxy.exits = proxy.exit_ip = proxy.anonymity = None
    if proxy.located:
        proxy.country = proxy.city = proxy.isp = None
        proxy.located = False
    proxy.failures = proxy.pauses = 0
    if proxy.pause_until is not None:
        proxy.status, proxy.pause_until = ACTIVE, None


def _check_login(username: str, has_password: bool) -> None:
    if has_password and not username:
        raise BadRequestField("username", "required_with_password", "The password needs a username.")
