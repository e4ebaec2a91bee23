"""Facts that the proxy service announces."""

from __future__ import annotations

from datetime import datetime

from xget_contracts.events import ProxyChanged
from xget_proxy.models import ACTIVE, Proxy


def state_changed(proxy: Proxy, before: str, now: datetime) -> ProxyChanged | None:
    """A proxy rests or works again; None when its stored status is as before."""
    if proxy.status == before:
        return None
    if proxy.status == ACTIVE:
        return _fact(proxy, "healed", "It works again.", now)
    return _fact(proxy, "paused", proxy.error_msg or "It failed.", now)


def exit_changed(proxy: Proxy, before: str, now: datetime) -> ProxyChanged:
    """A proxy that is no rotating gateway goes out elsewhere."""
    return _fact(proxy, "exit_changed", f"It went out at {before} before.", now)


def _fact(proxy: Proxy, kind: str, reason: str, now: datetime) -> ProxyChanged:
    return ProxyChanged(
        owner_id=proxy.owner_id,
        kind=kind,  # type: ignore[arg-type] # one of the words above
        reason=reason,
        at=now,
        subject_id=proxy.id,
        until=proxy.pause_until if kind == "paused" else None,
        exit_ip=(proxy.exit_ip or "") if kind == "exit_changed" else "",
    )
