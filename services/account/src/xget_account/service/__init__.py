"""Use cases of accounts."""

from xget_account.repository import Wish
from xget_account.service.accounts import AccountService
from xget_account.service.granting import Granted
from xget_account.service.imports import ImportService
from xget_account.service.leases import LeaseService
from xget_account.service.vault import Vault

__all__ = ["AccountService", "Granted", "ImportService", "LeaseService", "Vault", "Wish"]
