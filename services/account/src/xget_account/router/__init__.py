"""HTTP of the account service."""

from xget_account.router import accounts, logins

ROUTERS = (
    accounts.router,
    logins.router,
)
"""In this order: fixed words under `/accounts` must be found before `/accounts/{account_id}`."""

__all__ = ["ROUTERS"]
