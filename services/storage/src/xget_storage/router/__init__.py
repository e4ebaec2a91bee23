"""Storage over HTTP. Fixed paths come before `/{item_id}`."""

from fastapi import APIRouter

from xget_storage.router import items, sightings

ROUTERS: list[APIRouter] = [sightings.router, items.router]
"""In the order in which they are asked."""

__all__ = ["ROUTERS"]
