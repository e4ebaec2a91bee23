"""HTTP of the account service."""

from xget_account.router import accounts, api, assisting, audit, budget, grants, life, logins

ROUTERS = (
    life.fixed,
    budget.router,
    audit.fixed,
    grants.router,
    grants.lent,
    accounts.router,
    api.router,
    life.router,
    logins.router,
    assisting.router,
    audit.router,
)
"""In this order: fixed words under `/accounts` must be found before `/accounts/{account_id}`."""

__all__ = ["ROUTERS"]
