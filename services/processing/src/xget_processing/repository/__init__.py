"""All SQL of the processing service."""

from xget_processing.repository.parsers import ParserKey, ParserRepository
from xget_processing.repository.records import PageId, RecordRepository
from xget_processing.repository.store import Store, Unit

__all__ = ["PageId", "ParserKey", "ParserRepository", "RecordRepository", "Store", "Unit"]
