"""Fixtures of real engines for every test, and how tests are shared between workers.

A module stays together, so that its processes start once (`--dist loadgroup` would do that by marks, but xdist 3.8
cannot name groups to pytest 9). Of `-n 3` two workers begin with the trials under tests/, which start processes and
wait for them; the third runs the other tests meanwhile, in the time that those leave.
"""

from __future__ import annotations

import gc
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

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
TRIALS = "tests/"
FILLER = "gw2"
LONG = (
    "services/account/tests/test_account_openapi.py",
    "services/scraper/tests/test_completeness_trial.py",
    "services/storage/tests/test_elastic_search_trials.py",
    "services/account/tests/test_accounts_import_rest.py",
    "apps/standalone/tests/test_migration.py",
)
"""These the third worker begins with: none of them shall be the last, and alone."""
CYCLES = (20_000, 20, 20)
"""How many new objects make Python look for cycles, as in processes that `xget` starts."""
YIELDING = 5
"""How much nicer the third worker is: what it waits for is not timed as closely as takeovers are."""

# A stall is no finding: what an example costs depends on what else the machine does.
settings.register_profile("xget", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("xget")


def pytest_configure() -> None:
    """Less is spent on cycles; the third worker, and what it starts, comes last."""
    gc.set_threshold(*CYCLES)
    if os.environ.get("PYTEST_XDIST_WORKER") == FILLER:
        os.nice(YIELDING)


def pytest_collection_finish() -> None:
    """Thousands of tests and all modules stay: no collection has to look through them again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Units of work: modules, and the modules of one node."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - only there when xdist runs

    class ByModule(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            return TOGETHER[0] if module in TOGETHER else module

        def _assign_work_unit(self, node: Any) -> None:
            if node.gateway.id == FILLER:
                others = [module for module in self.workqueue if not module.startswith(TRIALS)]
                if others:
                    long = [module for module in LONG if module in self.workqueue]
                    self.workqueue.move_to_end((long or others)[0], last=False)
            super()._assign_work_unit(node)

    return ByModule(config, log)
