"""All SQL of the account service."""

from xget_account.repository.accounts import AccountRepository
from xget_account.repository.figures import FigureRepository
from xget_account.repository.held import Held, Known
from xget_account.repository.leases import Kind, LeaseRepository, Left
from xget_account.repository.life import LifeRepository
from xget_account.repository.logins import LoginRepository
from xget_account.repository.opening import PoolTables
from xget_account.repository.pool import PoolRepository
from xget_account.repository.room import Outlook, Wish, next_day, pool_of

__all__ = [
    "AccountRepository",
    "FigureRepository",
    "Held",
    "Kind",
    "Known",
    "LeaseRepository",
    "Left",
    "LifeRepository",
    "LoginRepository",
    "Outlook",
    "PoolRepository",
    "PoolTables",
    "Wish",
    "next_day",
    "pool_of",
]
