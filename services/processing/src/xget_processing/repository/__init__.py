"""All SQL of the processing service."""

from xget_processing.repository.drift import DriftFilter, DriftRepository, ShapeKey
from xget_processing.repository.parsers import ParserKey, ParserRepository
from xget_processing.repository.records import PageId, RecordRepository
from xget_processing.repository.store import Store, Unit

__all__ = [
    "DriftFilter",
    "DriftRepository",
    "PageId",
    "ParserKey",
    "ParserRepository",
    "RecordRepository",
    "ShapeKey",
    "Store",
    "Unit",
]
