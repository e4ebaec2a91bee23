"""Takes proxies from lists: each line is created, a duplicate, or refused with a reason."""

from __future__ import annotations

from collections.abc import Sequence

from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_proxy.models import ACTIVE, Proxy
from xget_proxy.repository import ProxyRepository
from xget_proxy.schemas import ImportLine, ImportRequest, ImportResult
from xget_proxy.service.gate import Gate
from xget_proxy.service.proxies import fresh
from xget_proxy.service.reading import Found, Refused, address, read
from xget_proxy.service.refusing import UNREADABLE
from xget_proxy.service.trail import subject_of
from xget_proxy.service.vault import Vault

Key = tuple[str, str, int, str]


class ImportService:
    """The import, within one transaction: either all that is reported is stored, or nothing."""

    def __init__(self, proxies: ProxyRepository, vault: Vault, clock: Clock) -> None:
        self._proxies = proxies
        self._vault = vault
        self._clock = clock

    async def run(self, records: Sequence[Found | Refused], caller: Caller, *, internal: bool) -> ImportResult:
        """Store the proxies of a list that was read (`admitted`) for the caller."""
        keys = [record.key for record in records if isinstance(record, Found)]
        stored = {_key(proxy): proxy for proxy in await self._proxies.same(caller.user_id, keys)}
        seen: dict[Key, int] = {}
        created: dict[Key, Proxy] = {}
        lines: list[ImportLine] = []
        for record in records:
            if isinstance(record, Refused):
                lines.append(_line(record.line, "refused", reason=record.reason))
            elif record.key in seen:
                reason = f"Is the same as line {seen[record.key]}."
                lines.append(_line(record.line, "duplicate", record, created.get(record.key), reason))
            elif record.key in stored:
                proxy = stored[record.key]
                lines.append(_line(record.line, "duplicate", record, proxy, self._met(record, proxy)))
            else:
                created[record.key] = self._fresh(record, caller, internal)
                lines.append(_line(record.line, "created", record, created[record.key]))
            if isinstance(record, Found):
                seen.setdefault(record.key, record.line)
        await self._proxies.add(list(created.values()))
        for proxy in created.values():
            self._proxies.trail.note("proxy.created", subject_of(proxy), {"type": proxy.type, "by": "import"})
        return _result(lines)

    def _met(self, record: Found, proxy: Proxy) -> str:
        """What became of a proxy that is stored: it only takes a password in the place of one whose key is lost."""
        if not record.password or self._vault.opens(proxy):
            return "Is stored already: change it with PUT."
        self._vault.seal(proxy, record.password)
        if proxy.error_msg == UNREADABLE:  # who is switched off by a person stays so
            proxy.status, proxy.error_msg = ACTIVE, None
        proxy.rev, proxy.updated_at = proxy.rev + 1, self._clock.now()
        told = {"secrets": ["password"], "by": "import"}
        self._proxies.trail.note("proxy.secrets_replaced", subject_of(proxy), told)
        return "Is stored already; its password, which no key opened, was taken from this line."

    def _fresh(self, record: Found, caller: Caller, internal: bool) -> Proxy:
        proxy = fresh(caller.user_id, record.key, self._clock.now())
        proxy.country, proxy.city, proxy.isp = record.country, record.city, record.isp
        proxy.allow_internal = internal
        self._vault.seal(proxy, record.password)
        return proxy


async def admitted(wish: ImportRequest, gate: Gate) -> list[Found | Refused]:
    """The proxies of a list; those inside the operator's own network are refused, unless the wish allows them."""
    records = read(wish.text, type=wish.type, country=wish.country)
    if wish.allow_internal:
        return records
    why = await gate.screen(record.ip for record in records if isinstance(record, Found))
    return [
        Refused(record.line, why[record.ip]) if isinstance(record, Found) and record.ip in why else record
        for record in records
    ]


def _key(proxy: Proxy) -> Key:
    return proxy.type, proxy.ip, proxy.port, proxy.username


def _line(
    line: int, outcome: str, record: Found | None = None, proxy: Proxy | None = None, reason: str = ""
) -> ImportLine:
    shown = address(record.type, record.ip, record.port) if record else ""
    proxy_id = proxy.id if proxy else None
    return ImportLine.model_validate(
        {"line": line, "outcome": outcome, "proxy": shown, "proxy_id": proxy_id, "reason": reason}
    )


def _result(lines: Sequence[ImportLine]) -> ImportResult:
    counts = {kind: sum(line.outcome == kind for line in lines) for kind in ("created", "duplicate", "refused")}
    return ImportResult(lines=list(lines), **counts)
