"""All SQL of the scraper."""

from xget_scraper.repository.pages import COUNTS
from xget_scraper.repository.segments import MISSING, UNFINISHED
from xget_scraper.repository.tasks import SORTS
from xget_scraper.repository.unit import Store, Unit

__all__ = ["COUNTS", "MISSING", "SORTS", "UNFINISHED", "Store", "Unit"]
