"""Bodies of the processing service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal, Self

import zstandard
from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from xget_processing.models import NEW, DriftField, ParserState, QuarantinedRecord, RecordFilter
from xget_web.types import Body, text

State = Literal["open", "replayed", "dismissed"]
Change = Literal["new", "gone"]
ParserStates = Literal["reading", "frozen", "thawing"]
_MOST_RAW: Final = 1_000_000
_LARGEST_RAW: Final = 128 * 1024 * 1024


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str, when_used="json")]


Word = Annotated[str, text(128, min_length=1)] | None


class RecordRead(BaseModel):
    """A record in quarantine."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    execution_id: str
    task_id: str
    owner_id: str
    page_no: int
    platform: str
    operation: str
    path: Annotated[str, Field(description="Where in the page; $ is all of it.")]
    reason: str
    shape: Annotated[str, Field(description="Keys and types of the value, without what it says.")]
    native_id: str | None
    parser_version: str
    state: State
    created_at: Moment
    updated_at: Moment


class RecordDetail(RecordRead):
    """A record with its payload."""

    raw: Annotated[str, Field(description="The payload as text, at most a million characters of it.")]
    raw_bytes: Annotated[int, Field(ge=0, description="Length of the whole payload.")]

    @classmethod
    def of(cls, record: QuarantinedRecord) -> Self:
        """The record as the API shows it."""
        raw = zstandard.ZstdDecompressor().decompress(record.raw_zstd, max_output_size=_LARGEST_RAW)
        shown = raw.decode("utf-8", "replace")[:_MOST_RAW]
        return cls(**RecordRead.model_validate(record).model_dump(), raw=shown, raw_bytes=len(raw))


class ReplayRequest(Body):
    """What to replay: open records of the caller's that fit all that is given; `all` for every one of them."""

    ids: Annotated[list[Annotated[str, text(128, min_length=1)]], Field(min_length=1, max_length=500)] | None = None
    platform: Annotated[str, text(64, min_length=1)] | None = None
    operation: Word = None
    parser_version: Word = None
    task: Word = None
    execution_id: Word = None
    all: StrictBool = False
    cursor: Annotated[str, text(4096)] | None = Field(None, description="next_cursor of the call before.")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        named = (self.ids, self.platform, self.operation, self.parser_version, self.task, self.execution_id)
        if not self.all and all(value is None for value in named):
            raise PydanticCustomError(
                "nothing_named", "Give ids, platform, operation, parser_version, task, execution_id, or all: true"
            )
        return self

    def filter(self, owner: str | None) -> RecordFilter:
        """Which records of an owner's."""
        return RecordFilter(
            owner=owner,
            platform=self.platform,
            operation=self.operation,
            parser_version=self.parser_version,
            task_id=self.task,
            execution_id=self.execution_id,
            ids=self.ids,
        )


class ReplayResult(BaseModel):
    """What a replay did."""

    pages: Annotated[int, Field(ge=0, description="Pages that were parsed again.")]
    replayed: Annotated[int, Field(ge=0, description="Records that could be read now.")]
    still_open: Annotated[int, Field(ge=0, description="Records that this parser rejects too.")]
    remaining: Annotated[int, Field(ge=0, description="Pages left over: ask again with the cursor.")]
    next_cursor: Annotated[str | None, Field(description="Give it with the same filter to go on; null at the end.")]


class ParserRead(BaseModel):
    """A version of a platform's parser and what it has read."""

    model_config = ConfigDict(from_attributes=True)

    platform: str
    version: str
    pages: int
    items: int
    rejected: int
    new_fields: Annotated[int, Field(ge=0, description="Fields on sampled pages that it does not know.")] = 0
    gone_fields: Annotated[int, Field(ge=0, description="Fields that it counts on and that stay away.")] = 0
    first_used: Moment
    last_used: Moment


ParserName = Annotated[str, Path(min_length=1, max_length=200, description="Route and operation: x_session:Followers.")]


class ParserStateRead(BaseModel):
    """Whether a source's parser of one operation reads."""

    name: str
    platform: str
    route: str
    operation: str
    state: Annotated[ParserStates, Field(description="frozen: its pages wait; thawing: it reads what waited.")]
    version: Annotated[str, Field(description="The parser version that the state is about.")]
    by: Annotated[str, Field(description="Who brought it about: rate, version, a person's id, or nobody yet.")]
    since: Moment
    pages: Annotated[int, Field(ge=0, description="Pages of the window that froze it.")]
    rate: Annotated[float, Field(ge=0, le=1, description="Share of their records that was rejected.")]
    waiting: Annotated[int, Field(ge=0, description="Pages that wait for it.")]

    @classmethod
    def of(cls, state: ParserState, waiting: int) -> Self:
        """A parser as the API shows it."""
        return cls(**{name: getattr(state, name) for name in cls.model_fields if name != "waiting"}, waiting=waiting)


class DriftRead(BaseModel):
    """A field that is new to a parser version, or gone."""

    route: str
    version: str
    shape: Annotated[str, Field(description="What the field is of: post, user, card, media…")]
    path: Annotated[str, Field(description="Where in it; `path!type` is a known field with a type that it never had.")]
    change: Annotated[Change, Field(description="new: seen for the first time; gone: usual, and missing now.")]
    operation: Annotated[str, Field(description="Where it was seen, or missing, last.")]
    pages: Annotated[int, Field(ge=1, description="Sampled pages with a new field; the last ones without a gone one.")]
    of_pages: Annotated[int, Field(ge=1, description="Sampled pages that had the shape.")]
    first_seen: Moment
    last_seen: Moment

    @classmethod
    def of(cls, field: DriftField, of_pages: int) -> Self:
        """A field as the API shows it."""
        change = "new" if field.kind == NEW else "gone"
        names = cls.model_fields.keys() - {"change", "of_pages"}
        return cls(**{name: getattr(field, name) for name in names}, change=change, of_pages=of_pages)


class ParserList(BaseModel):
    """All parser versions, and all parsers."""

    items: list[ParserRead]
    parsers: list[ParserStateRead]
