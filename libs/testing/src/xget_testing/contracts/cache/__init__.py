"""The behaviour of the cache's ports, whatever the engine.

Subclass each contract with a fixture `house` (a CacheHouse), and one `pass_time`: `await pass_time(seconds)`.
"""

from __future__ import annotations

from xget_testing.contracts.cache.keeping import CacheContract
from xget_testing.contracts.cache.limiting import LimiterContract
from xget_testing.contracts.cache.locking import LocksContract

__all__ = ["CacheContract", "LimiterContract", "LocksContract"]
