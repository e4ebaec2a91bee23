"""The sources that are installed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from xget_sources.ports import Source
from xget_sources.registry import load_sources


async def opened_sources(given: Mapping[str, Source] | None, stack: AsyncExitStack) -> Mapping[str, Source]:
    """The sources given, or the installed ones by route, closed with the stack."""
    if given is not None:
        return given
    found = await asyncio.to_thread(load_sources)
    for source in found.values():
        stack.push_async_callback(source.close)
    return found
