"""Every table and column of the service that holds a ciphertext: `xget keys` walks them."""

from __future__ import annotations

from xget_account.models.accounts import SECRETS
from xget_account.models.base import Base
from xget_account.models.logins import LOGIN_SECRETS
from xget_db.data_keys import data_keys_table
from xget_db.sealed import Sealed

SEALED = (Sealed("accounts", SECRETS), Sealed("account_logins", LOGIN_SECRETS, key="account_id"))
"""Whoever adds a column with a secret, adds it here: else a rotation leaves it behind."""

DATA_KEYS = data_keys_table(Base.metadata)
"""What opens them, wrapped."""
