"""twscrape's pool of accounts, as the peer of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path


async def twscrape_use(
    path: Path, accounts: int, operation: str, cookies: Mapping[str, str]
) -> Callable[[str], Awaitable[str]]:
    """Takes an account of a pool in a new file and gives it back; its name."""
    os.environ["TWS_TELEMETRY"] = "0"
    from twscrape import AccountsPool  # noqa: PLC0415 - it reads its environment when it is imported
    from twscrape.db import execute  # noqa: PLC0415 - it loads the module that reads its environment

    pool = AccountsPool(str(path))
    await pool.add_account_cookies("user00000", "auth_token=a; ct0=c")
    rows = ",".join(f"('user{n:05}','_','_','_','@chrome',true,'{json.dumps(cookies)}')" for n in range(1, accounts))
    names = "username, password, email, email_password, user_agent, active, cookies"
    await execute(str(path), f"INSERT INTO accounts ({names}) VALUES {rows}")  # noqa: S608 - constants of ours

    async def use(_holder: str) -> str:
        account = await pool.get_for_queue(operation)
        assert account is not None, "twscrape has no account free"
        await pool.unlock(account.username, operation, 1)
        return str(account.username)

    return use
