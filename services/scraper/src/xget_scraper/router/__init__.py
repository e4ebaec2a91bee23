"""HTTP of the scraper."""

from xget_scraper.router import executions, preview, results, tasks

ROUTERS = (results.router, preview.router, tasks.router, executions.router)
"""In this order: `/tasks/search/results` must be found before `/tasks/{task_id}/…`."""

__all__ = ["ROUTERS"]
