"""How use cases reach the tables."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from xget_auth.repository import AuthRepository

Work = Callable[[], AbstractAsyncContextManager[AuthRepository]]
"""Opens a transaction and gives the repository in it; leaving the block commits."""
