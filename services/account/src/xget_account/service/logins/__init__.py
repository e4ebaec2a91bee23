"""Logging in: who asks, what is tried, and what becomes of the account."""

from xget_account.service.logins.asking import LoginService
from xget_account.service.logins.outcomes import LOGGED_IN, OUTCOMES, Outcome
from xget_account.service.logins.port import Credentials, LoginFlow, LoginProxies, LoginResult
from xget_account.service.logins.running import LoginRunner, Rules

__all__ = [
    "LOGGED_IN",
    "OUTCOMES",
    "Credentials",
    "LoginFlow",
    "LoginProxies",
    "LoginResult",
    "LoginRunner",
    "LoginService",
    "Outcome",
    "Rules",
]
