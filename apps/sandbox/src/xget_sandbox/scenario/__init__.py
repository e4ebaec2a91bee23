"""Scenario files: a world, its conditions, and what happens when."""

from xget_sandbox.scenario.files import find_scenario, scenarios
from xget_sandbox.scenario.reading import Scenario

__all__ = ["Scenario", "find_scenario", "scenarios"]
