"""Logging in: who asks, what is tried, and what becomes of the account."""

from xget_account.service.logins.asking import LoginService
from xget_account.service.logins.assisting import AssistService
from xget_account.service.logins.outcomes import OUTCOMES, Outcome
from xget_account.service.logins.running import LoginRunner, Rules
from xget_account.service.logins.steps import STEPS

__all__ = [
    "OUTCOMES",
    "STEPS",
    "AssistService",
    "LoginRunner",
    "LoginService",
    "Outcome",
    "Rules",
]
