"""What an answer of the platform means for the account that got it, as data: the first row that fits decides."""

from xget_account.service.playbook.loading import BadPlaybook, packaged, parse
from xget_account.service.playbook.rows import ACTIONS, GO_ON, KINDS, REST, Answer, Decision, Playbook, Rule
from xget_account.service.playbook.watching import Book

__all__ = [
    "ACTIONS",
    "GO_ON",
    "KINDS",
    "REST",
    "Answer",
    "BadPlaybook",
    "Book",
    "Decision",
    "Playbook",
    "Rule",
    "packaged",
    "parse",
]
