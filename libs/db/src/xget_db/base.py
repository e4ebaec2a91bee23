"""What every service's tables share."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from xget_db.types import JsonDict, JsonList, UtcDateTime

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names of indexes and constraints, so that migrations can find them on every database."""


def new_metadata() -> MetaData:
    """Metadata for one service: `class Base(DeclarativeBase): metadata = new_metadata()`."""
    return MetaData(naming_convention=NAMING)


def make_base() -> type[DeclarativeBase]:
    """A declarative base with its own metadata; `Mapped[datetime]`, `dict[str, Any]` and `list[str]` are portable."""

    class Base(DeclarativeBase):
        metadata = new_metadata()
        type_annotation_map: ClassVar[dict[Any, Any]] = {
            datetime: UtcDateTime,
            dict[str, Any]: JsonDict,
            list[str]: JsonList,
        }

    return Base
