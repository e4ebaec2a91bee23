"""Bodies about a platform's official API."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from xget_web.types import Body

Token = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[\x21-\x7e]+$")]
Money = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=12, decimal_places=6)]


class ApiWrite(Body):
    """Tokens and limits; what is absent stays. Give a bearer token, or what a user's tokens are renewed with."""

    bearer_token: Token | None = Field(None, description="An app's own token.")
    client_id: Token | None = Field(None, description="Of the app that a user has allowed (OAuth 2.0).")
    client_secret: Token | None = Field(None, description="Only confidential apps have one.")
    refresh_token: Token | None = Field(None, description="Good once: XGet keeps the next one.")
    full_archive: bool | None = Field(None, strict=True, description="The plan searches all posts, not seven days.")
    app: Annotated[str, Field(max_length=64, pattern=r"^[\x21-\x7e]*$")] | None = Field(
        None,
        description="Your word for the developer app that the tokens are of: accounts with the same word share X's "
        "limits. Without one, or with an empty one, equal bearer tokens and client ids tell it.",
    )
    monthly_budget_usd: Money | None = Field(
        None, description="Most that a UTC month may cost, a hard stop. 0, as at first: nothing that costs."
    )
    monthly_results: int | None = Field(
        None, ge=0, le=10**12, strict=True, description="Most posts and users that a month may read; null: any number."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        user = self.refresh_token is not None
        if self.bearer_token is not None and user:
            raise ValueError("give a bearer token or a refresh token, not both")
        if user and self.client_id is None:
            raise ValueError("a refresh token needs the client_id that it was given to")
        if not user and (self.client_id is not None or self.client_secret is not None):
            raise ValueError("client_id and client_secret are for a refresh token: give it too")
        return self

    @property
    def tokens(self) -> dict[str, str]:
        """The secrets that the body names; a new kind replaces the old one."""
        names = ("bearer_token", "client_id", "client_secret", "refresh_token")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class ApiRead(BaseModel):
    """What an account may spend on the official API, and has spent this month. No token is shown."""

    account_id: str
    username: str
    kind: str = Field(description="bearer, user, or none yet.")
    full_archive: bool
    app: str = Field(description="The word for the developer app that the tokens are of; empty when none was given.")
    shared_by: int = Field(description="The owner's accounts that are known to be of that app, this one too.")
    monthly_budget_usd: Decimal
    monthly_results: int | None
    month: str = Field(description="UTC month of the counts, as 2026-08.")
    spent_usd: Decimal = Field(description="With what is held for a request under way.")
    results: int = Field(description="Posts and users that were read.")
    requests: int
    sentence: str
