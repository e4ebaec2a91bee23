"""The truth: what a perfect collector finds for a task, item by item."""

from xget_sandbox.truth.answers import Truth

__all__ = ["Truth"]
