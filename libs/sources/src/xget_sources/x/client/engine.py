"""The one door to twscrape: its telemetry off before it is imported, its log turned into ours."""

from __future__ import annotations

import os

os.environ["TWS_TELEMETRY"] = "0"  # twscrape reads it whenever it counts an event

from twscrape import API
from twscrape.account import Account
from twscrape.accounts_pool import AccountsPool
from twscrape.http import HttpClient, HttpError, HttpStatusError, Response
from twscrape.logger import logger as twscrape_logger
from twscrape.queue_client import AbortReqError, XClIdGenStore
from twscrape.xclid import XClIdAccountError, XClIdError

__all__ = [
    "API",
    "AbortReqError",
    "Account",
    "AccountsPool",
    "HttpClient",
    "HttpError",
    "HttpStatusError",
    "Response",
    "XClIdAccountError",
    "XClIdError",
    "XClIdGenStore",
    "silence",
]


def silence() -> None:
    """Keep twscrape's log lines, which name accounts, out of stderr: the observer says the same with our words."""
    twscrape_logger.disable("twscrape")
