"""Parameters of whatever X finds by search, with a query that X takes."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from xget_sources.x.queries.checking import check_length
from xget_sources.x.queries.filters import Filtered


class Search(Filtered):
    """What all searches take."""

    @property
    def windowed(self) -> bool:
        """Narrowable in time: only what X lists newest first."""
        return self.product == "Latest"

    @model_validator(mode="after")
    def _short_enough(self) -> Self:
        check_length(self)
        return self
