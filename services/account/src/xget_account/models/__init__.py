"""Tables of the account service and the states of an account."""

from xget_account.models.accounts import SECRETS, Account, LedgerEntry
from xget_account.models.api import API, ApiAccess, ApiApp
from xget_account.models.base import AUDIT, GRANTS, OUTBOX, Audit, Base, idempotency
from xget_account.models.life import Check, Move, Sample
from xget_account.models.logins import LOGIN_SECRETS, Login, LoginAttempt
from xget_account.models.sealed import SEALED
from xget_account.models.states import (
    ACTIVE,
    HEALTHY,
    NEEDS_HUMAN,
    NEEDS_LOGIN,
    NEW,
    RESTING,
    RETIRED,
    STORED,
    SUSPENDED,
)
from xget_account.models.uses import LeaseLog

__all__ = [
    "ACTIVE",
    "API",
    "AUDIT",
    "GRANTS",
    "HEALTHY",
    "LOGIN_SECRETS",
    "NEEDS_HUMAN",
    "NEEDS_LOGIN",
    "NEW",
    "OUTBOX",
    "RESTING",
    "RETIRED",
    "SEALED",
    "SECRETS",
    "STORED",
    "SUSPENDED",
    "Account",
    "ApiAccess",
    "ApiApp",
    "Audit",
    "Base",
    "Check",
    "LeaseLog",
    "LedgerEntry",
    "Login",
    "LoginAttempt",
    "Move",
    "Sample",
    "idempotency",
]
