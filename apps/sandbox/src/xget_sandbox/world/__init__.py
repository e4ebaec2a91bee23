"""The seeded world: who exists, who follows whom, and what they posted."""

from xget_sandbox.world.build import World, build_world

__all__ = ["World", "build_world"]
