"""What is written down of proxies, and what it means to grant some."""

from __future__ import annotations

from xget_db.audit import Subject
from xget_db.engine import Database
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_proxy.errors import ProxyNotFound
from xget_proxy.models import GRANTS, Audit, Provider, Proxy
from xget_proxy.repository import ProxyRepository
from xget_web.grants import GrantCreate, GrantDesk, Opened, Unknown

TOLD = ("type", "country", "status", "allow_internal", "rotating", "max_concurrency", "daily_budget")
"""Values that may stand in the trail; of others only the name does."""


def subject_of(row: Proxy | Provider) -> Subject:
    """A proxy or a provider as the audit trail names it."""
    return Subject("proxy" if isinstance(row, Proxy) else "provider", row.id, row.owner_id)


def changed(before: dict[str, object], row: Proxy) -> dict[str, object]:
    """What became of these fields: was and is, or the name alone."""
    now = {name: getattr(row, name) for name in before}
    return {name: [was, now[name]] if name in TOLD else None for name, was in before.items() if now[name] != was}


def grants_on(database: Database, clock: Clock, unknown: Unknown) -> GrantDesk:
    """Who lets whom use his proxies. Nobody waits in line for a proxy: who is granted some finds them next time."""

    async def owner_of(session: Opened, proxy_id: str, caller: Caller) -> str:
        proxy = await ProxyRepository(session).get(proxy_id, caller.owner_filter)
        if proxy is None:
            raise ProxyNotFound()
        return proxy.owner_id

    async def given(_session: Opened, _owner: str, _grant: GrantCreate) -> None:
        return None

    return GrantDesk(
        database=database, table=GRANTS, audit=Audit, clock=clock, owner_of=owner_of, given=given, unknown=unknown
    )
