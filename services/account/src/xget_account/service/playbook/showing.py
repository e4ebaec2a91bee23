"""A playbook as people see it."""

from __future__ import annotations

from datetime import datetime

from xget_account.schemas.life import PlaybookRead, RuleRead
from xget_account.service.playbook.rows import Playbook, Rule


def shown(playbook: Playbook, trouble: str = "", since: datetime | None = None) -> PlaybookRead:
    """A playbook as it is shown; `trouble` is why a newer file is not in force, `since` when this one came into it."""
    return PlaybookRead(
        version=playbook.version,
        name=playbook.name,
        revision=playbook.revision,
        source=playbook.source,
        since=since,
        trouble=trouble,
        note=playbook.note,
        rules=[_rule(rule) for rule in playbook.rules],
        otherwise=_rule(playbook.otherwise),
    )


def _rule(rule: Rule) -> RuleRead:
    when = {
        "codes": sorted(rule.codes) if rule.codes else None,
        "statuses": [_span(span) for span in rule.statuses] if rule.statuses else None,
        "kinds": sorted(rule.kinds) if rule.kinds else None,
        "codeless": rule.codeless or None,
        "data": rule.data,
        "room": rule.room,
    }
    return RuleRead(
        name=rule.name,
        route=rule.route,
        when={name: value for name, value in when.items() if value is not None},
        action=rule.action,
        rest_seconds=round(rule.rest.total_seconds()) if rule.rest else None,
        until_reset=rule.until_reset,
        until_month=rule.until_month,
        all=rule.everything,
        state=rule.set_status,
        next_step=rule.next_step,
        reason=rule.sentence,
    )


def _span(statuses: range) -> str:
    return str(statuses.start) if len(statuses) == 1 else f"{statuses.start}-{statuses.stop - 1}"
