"""A platform, its accounts and the storage behind the topics, in memory: for tests of who collects."""

from xget_testing.collecting.crashes import CrashingLog, crashing_database, dead
from xget_testing.collecting.observed import LeapClock, ObservedSource
from xget_testing.collecting.sessions import FakeSession, FakeSessions
from xget_testing.collecting.source import ListSource
from xget_testing.collecting.storage import PageStore
from xget_testing.collecting.timeline import Asked, TimelineSource, posts_over
from xget_testing.collecting.world import World

__all__ = [
    "Asked",
    "CrashingLog",
    "FakeSession",
    "FakeSessions",
    "LeapClock",
    "ListSource",
    "ObservedSource",
    "PageStore",
    "TimelineSource",
    "World",
    "crashing_database",
    "dead",
    "posts_over",
]
