"""What an answer of the platform means for the account that got it, as data: the first row that fits decides."""

from xget_account.service.playbook.loading import packaged, parse
from xget_account.service.playbook.nodes import BadPlaybook
from xget_account.service.playbook.rows import (
    ACTIONS,
    GO_ON,
    KINDS,
    REST,
    ROUTES,
    Answer,
    Decision,
    Playbook,
    Rule,
    known_kind,
    route_of,
)
from xget_account.service.playbook.showing import shown
from xget_account.service.playbook.watching import Book

__all__ = [
    "ACTIONS",
    "GO_ON",
    "KINDS",
    "REST",
    "ROUTES",
    "Answer",
    "BadPlaybook",
    "Book",
    "Decision",
    "Playbook",
    "Rule",
    "known_kind",
    "packaged",
    "parse",
    "route_of",
    "shown",
]
