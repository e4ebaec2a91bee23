"""Which way to log in fits an account."""

from __future__ import annotations

from xget_account.adapters.login.twscrape import TwscrapeFlow
from xget_account.service.logins import LoginFlow


class Ways:
    """Chooses the flow of a try."""

    def flow(self, method: str, login_method: str) -> LoginFlow:
        """For what was asked for (`auto`, `browser`, `flow`) and the account's login_method."""
        return TwscrapeFlow()
