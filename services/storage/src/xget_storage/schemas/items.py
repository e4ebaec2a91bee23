"""Items that users bring and change."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import msgspec
from pydantic import AfterValidator, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from xget_contracts.items import Kind, Struct
from xget_storage.models import IMPORTED, Draft
from xget_storage.schemas.moments import Moment
from xget_web.types import Body, text

_LARGEST_EXTRA = 65_536


def _storable(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        size = len(msgspec.json.encode(value))
    except (ValueError, OverflowError, TypeError, RecursionError):
        size = None
    if size is None or size > _LARGEST_EXTRA:
        raise PydanticCustomError("extra", "Must be JSON of at most 64 KiB")
    return value


Text = Annotated[str, text(100_000, multiline=True)]
Name = Annotated[str, text(200)]
Lang = Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$", max_length=35)]
Url = Annotated[str, Field(pattern=r"^https?://[!-~]+$", max_length=2000)]
Tags = Annotated[list[Annotated[str, text(200, min_length=1)]], Field(max_length=100)]
Extra = Annotated[dict[str, JsonValue], AfterValidator(_storable)]


class ItemCreate(Body):
    """An item of the user's own. Without `native_id` it gets a new one."""

    native_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]{1,96}$")] | None = None
    platform: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = IMPORTED
    kind: Kind = "post"
    text: Text
    lang: Lang | None = None
    url: Url | None = None
    created_at: Moment | None = None
    author_id: Name | None = None
    author_username: Name | None = None
    author_name: Name | None = None
    hashtags: Tags = Field(default_factory=list)
    extra: Extra = Field(default_factory=dict)

    def draft(self) -> Draft:
        """What the service stores."""
        fields = self.model_dump(exclude={"native_id"})
        return Draft(key="", native_id=self.native_id or "", **fields)


class ItemEdit(Body):
    """Fields to set over what was collected; null gives the collected value back."""

    text: Text | None = None
    lang: Lang | None = None
    url: Url | None = None
    hashtags: Tags | None = None
    extra: Extra | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_to_change", "Give at least one of text, lang, url, hashtags, extra")
        return self


class BatchCreate(Body):
    """Up to 1,000 items at once."""

    items: Annotated[list[ItemCreate], Field(min_length=1, max_length=1000)]


class BatchOutcome(Struct, kw_only=True, omit_defaults=False):
    """What became of one item: `key` when it was created, `error` when not."""

    index: int
    status: Literal["created", "exists"]
    key: str | None
    error: str | None


class BatchResult(Struct, kw_only=True, omit_defaults=False):
    """Outcomes in the order of the items."""

    created: int
    failed: int
    items: list[BatchOutcome]
