"""Storage over HTTP. Fixed paths come before `/{item_id}`."""

from fastapi import APIRouter

from xget_storage.router import items, sightings, takedowns

ROUTERS: list[APIRouter] = [takedowns.router, sightings.router, items.router]
"""In the order in which they are asked."""

__all__ = ["ROUTERS"]
