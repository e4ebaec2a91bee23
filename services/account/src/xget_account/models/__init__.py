"""Tables of the account service and the states of an account."""

from xget_account.models.accounts import SECRETS, Account, LedgerEntry
from xget_account.models.base import Base, idempotency
from xget_account.models.states import ACTIVE, HEALTHY, NEEDS_HUMAN, NEEDS_LOGIN, NEW, RESTING, SUSPENDED

__all__ = [
    "ACTIVE",
    "HEALTHY",
    "NEEDS_HUMAN",
    "NEEDS_LOGIN",
    "NEW",
    "RESTING",
    "SECRETS",
    "SUSPENDED",
    "Account",
    "Base",
    "LedgerEntry",
    "idempotency",
]
