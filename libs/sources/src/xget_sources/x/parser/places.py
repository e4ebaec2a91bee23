"""Where a post says that it was written."""

from __future__ import annotations

from typing import Any

from xget_contracts.items import Coordinates, Place
from xget_sources.x.parser.values import Json, as_dict, as_float, as_list, as_text, dig


def place_of(raw: Any) -> Place | None:
    """A post's place, or None without an id."""
    place = as_dict(raw)
    native_id = as_text(place.get("id"))
    if native_id is None:
        return None
    return Place(
        id=native_id,
        full_name=as_text(place.get("full_name")),
        name=as_text(place.get("name")),
        type=as_text(place.get("place_type")),
        country=as_text(place.get("country")),
        country_code=as_text(place.get("country_code")),
        box=_box(dig(place, "bounding_box", "coordinates")),
    )


def _box(rings: Any) -> list[float]:
    """West, south, east, north of all corners."""
    corners = [corner for ring in as_list(rings) for corner in as_list(ring)]
    pairs = [corner for corner in corners if type(corner) is list and len(corner) == 2]
    points = [(as_float(longitude), as_float(latitude)) for longitude, latitude in pairs]
    east = [longitude for longitude, _ in points if longitude is not None]
    north = [latitude for _, latitude in points if latitude is not None]
    return [min(east), min(north), max(east), max(north)] if east and north else []


def coordinates_of(flat: Json) -> Coordinates | None:
    """A flattened post's point: `coordinates` is longitude first, the older `geo` latitude first."""
    for field, longitude_at in (("coordinates", 0), ("geo", 1)):
        point = dig(flat, field, "coordinates")
        if type(point) is list and len(point) == 2:
            longitude, latitude = as_float(point[longitude_at]), as_float(point[1 - longitude_at])
            if longitude is not None and latitude is not None:
                return Coordinates(longitude=longitude, latitude=latitude)
    return None
