"""Bodies of what became of accounts, of samples and of the playbook."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from xget_web.types import Body, text


class MoveRead(BaseModel):
    """An account came from one state into another, or stayed in it for another reason."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    from_state: str
    to_state: str
    reason: str
    next_step: str
    by: str
    """`playbook`, `login`, `keys`, `worker`, or a person's id."""
    rule: str | None = Field(description="The rule of the playbook that moved it, if one did.")
    playbook: str | None = Field(description="The revision of that playbook.")


class SampleRead(BaseModel):
    """An answer that no rule of the playbook knows: names and types, no values."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    account_id: str
    platform: str
    operation: str
    shape: str
    """The same for answers that look alike."""
    status: int
    body_kind: str
    answer: dict[str, Any]
    at: datetime


class Because(Body):
    """Why a person does it."""

    reason: Annotated[str, text(300), Field(description="Is shown in the account's history.")] = ""


class PlaybookText(Body):
    """A playbook to look at; nothing comes into force."""

    text: Annotated[str, Field(min_length=1, max_length=300_000)]
    name: Annotated[str, text(200)] = "playbook"
    """Of the file, for sentences."""


class RuleRead(BaseModel):
    """A row of the playbook."""

    name: str
    route: str = Field(description="Whose answers it is about: x_session or x_api.")
    when: dict[str, Any]
    action: str
    rest_seconds: int | None
    until_reset: bool
    until_month: bool = Field(description="It rests until the next month (UTC).")
    all: bool
    state: str | None
    next_step: str
    reason: str


class PlaybookRead(BaseModel):
    """The playbook in force."""

    version: int = Field(description="Of the way such files are written.")
    name: str
    revision: str = Field(description="Of the text: it changes with each change of the file, whatever its name says.")
    source: str
    """`packaged`, or the name of the file."""
    since: datetime | None = Field(description="When it came into force; null when it is only looked at.")
    trouble: str
    """Why the file as it is now is not in force; empty when it is."""
    note: str = Field(description="What was taken from the packaged playbook; empty when nothing was.")
    rules: list[RuleRead]
    otherwise: RuleRead
