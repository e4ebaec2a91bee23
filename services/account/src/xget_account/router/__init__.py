"""HTTP of the account service."""

from xget_account.router import accounts, api, assisting, budget, life, logins

ROUTERS = (
    life.fixed,
    budget.router,
    accounts.router,
    api.router,
    life.router,
    logins.router,
    assisting.router,
)
"""In this order: fixed words under `/accounts` must be found before `/accounts/{account_id}`."""

__all__ = ["ROUTERS"]
