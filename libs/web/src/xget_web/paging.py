"""Lists by page and size, or by cursor."""

from collections.abc import Sequence
from typing import Annotated, Generic, Self, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from xget_kernel.pages import PageQuery

T = TypeVar("T")

# Far beyond any list, and small enough that page × size is a 64-bit offset.
LAST_PAGE = 1_000_000


class PageOut(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    page: Annotated[int, Field(ge=1)]
    size: Annotated[int, Field(ge=1)]
    total: Annotated[int, Field(ge=0)]
    pages: Annotated[int, Field(ge=0)]

    @classmethod
    def of(cls, items: Sequence[T], query: PageQuery, total: int) -> Self:
        """The page that `query` asked for, of `total` rows."""
        return cls(items=list(items), page=query.page, size=query.size, total=total, pages=-(-total // query.size))


class CursorOut(BaseModel, Generic[T]):
    """A piece of a list; `next_cursor` is null at its end."""

    items: list[T]
    next_cursor: str | None


def page_query(
    page: Annotated[int, Query(ge=1, le=LAST_PAGE)] = 1,
    size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> PageQuery:
    """`?page=1&size=20`."""
    return PageQuery(page=page, size=size)


PageParams = Annotated[PageQuery, Depends(page_query)]
CursorParam = Annotated[str | None, Query(max_length=4096, description="next_cursor of the piece before.")]
LimitParam = Annotated[int, Query(ge=1, le=100, description="Most items to return.")]
