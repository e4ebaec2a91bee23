"""Bodies and parameters."""

from xget_storage.schemas.items import BatchCreate, BatchOutcome, BatchResult, ItemCreate, ItemEdit
from xget_storage.schemas.wire import answers

__all__ = [
    "BatchCreate",
    "BatchOutcome",
    "BatchResult",
    "ItemCreate",
    "ItemEdit",
    "answers",
]
