"""Previews of tasks over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from xget_scraper.deps import Previews
from xget_scraper.errors import InvalidTask
from xget_scraper.schemas.preview import EstimateRead, ExpectedRead, PreviewRead, PreviewWrite
from xget_web.auth import CallerDep
from xget_web.problems import errors

router = APIRouter(prefix="/api/v1/tasks", tags=["tasks"])


@router.post("/preview", responses=errors(InvalidTask))
async def preview_task(body: PreviewWrite, previews: Previews, caller: CallerDep) -> PreviewRead:
    """What a task with these parameters would ask and how much it takes. Nothing is stored.

    Nothing is asked of the platform, but for a search whose `routes` include x_api: that counts its posts, for nothing.
    """
    seen = await previews.look(body, caller)
    shown = seen.preview
    return PreviewRead(
        task_type=seen.spec.name,
        platform=body.platform,
        parameters=dict(seen.parameters),
        targets=shown.targets,
        asks=shown.asks,
        more=shown.more,
        operations=shown.operations,
        page_size=shown.page_size,
        warnings=shown.warnings,
        estimate=EstimateRead(**vars(seen.estimate)),
        expected=ExpectedRead(**vars(seen.expected)) if seen.expected else None,
    )
