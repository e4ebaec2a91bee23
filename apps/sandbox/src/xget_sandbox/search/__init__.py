"""Finding posts with X's search syntax."""

from xget_sandbox.search.parser import Search

__all__ = ["Search"]
