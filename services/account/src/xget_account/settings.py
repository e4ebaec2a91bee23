"""Settings of the account service."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from xget_kernel.keys import KeySettings

NAME = "account"


class Settings(KeySettings):
    """What the account service reads from the environment."""

    default_port: ClassVar[int] = 8004

    account_daily_budget: int = Field(2000, ge=1, le=1_000_000)
    """Requests that one account may make per UTC day, unless the account says otherwise. A hard stop."""
    account_checks_per_hour: int = Field(4, ge=0, le=3600)
    """Looks at accounts that nobody used for long, of all accounts together; 0 for none. Each is one cheap request."""
    account_check_idle_hours: float = Field(72.0, ge=0.01, le=8760)
    """For how long an account is not used before it is looked at, and not looked at again."""
    playbook: Path | None = None
    """A playbook of your own (YAML or JSON), read again when it changes; by default the packaged one."""
    api_post_usd: float = Field(0.005, ge=0, le=1000)
    """Price of a post that X's official API reads, in US dollars; 0 for a plan that does not count them."""
    api_user_usd: float = Field(0.010, ge=0, le=1000)
    """Price of a user that it reads."""
    api_request_usd: float = Field(0.0, ge=0, le=1000)
    """Price of each of its requests, whatever it reads."""
    login_daily_cap: int = Field(4, ge=1, le=100)
    """Tries to log one account in per UTC day, by itself or asked for. A hard stop."""
    account_audit_days: float = Field(400.0, gt=0, le=36500)
    """How long it is known who did, changed or saw what."""
    account_lease_log_days: float = Field(90.0, gt=0, le=36500)
    """How long it is known whose runs used which account."""
    login_with: Literal["auto", "browser", "flow"] = "auto"
    """How accounts log in: with a browser, by twscrape's flow, or (auto) a browser where there is Chromium."""
    login_memory_mb: float = Field(800.0, ge=200, le=16_000)
    """A browser that takes more is ended."""
    login_code_seconds: float = Field(60.0, ge=1, le=600)
    """How long a confirmation code by mail is waited for."""
    chromium: str | None = None
    """Path of Chromium; by default the one on PATH."""
    imap_hosts: str = ""
    """Mail servers of domains, `domain=host[:port],…`; by default those of large providers, else `imap.<domain>`."""
    login_seconds: float = Field(120.0, ge=5, le=900)
    """A login that takes longer is cut off."""
    login_poll_seconds: float = Field(2.0, ge=0.05, le=3600)
    """How often the worker looks for accounts to log in."""

    @property
    def tables_url(self) -> str:
        """URL of the service's tables."""
        return self.tables(NAME)
