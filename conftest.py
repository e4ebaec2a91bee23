"""Fixtures of real engines for every test, and how tests are shared between workers.

With `-n 2` a module stays together, so that its processes start once.

`--dist loadgroup` would do that by marks, but xdist 3.8 cannot name groups to pytest 9.
"""

from __future__ import annotations

from typing import Any

import pytest

from xget_testing.engines import (
    elasticsearch_url,
    engine_url,
    kafka_servers,
    mongodb_url,
    postgres_url,
    pytest_runtest_setup,
    redis_url,
)
from xget_testing.leftovers import pytest_collection_modifyitems, pytest_runtest_teardown

__all__ = [
    "elasticsearch_url",
    "engine_url",
    "kafka_servers",
    "mongodb_url",
    "postgres_url",
    "pytest_collection_modifyitems",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "redis_url",
]

TOGETHER = ("tests/security/test_identity.py", "tests/security/test_isolation.py", "tests/security/test_secrets.py")
"""These share one node."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Units of work: modules, and the modules of one node."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - only there when xdist runs

    class ByModule(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            return TOGETHER[0] if module in TOGETHER else module

    return ByModule(config, log)
