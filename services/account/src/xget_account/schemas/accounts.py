"""Bodies of the account service. Secrets go in and never come out: a read says only which are set."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from xget_account.schemas.logins import LoginNow
from xget_kernel.totp import read_secret
from xget_web.types import Body, text

Platform = Literal["x", "x_api"]
"""`x_api`: accounts that ask X through its official API, with tokens instead of cookies."""
LoginMethod = Literal["TWITTER", "GOOGLE", "COOKIES", "API"]
State = Literal["NEW", "ACTIVE", "RESTING", "NEEDS_LOGIN", "NEEDS_HUMAN", "SUSPENDED", "RETIRED"]
ImportFormat = Literal["auto", "cookies-json", "netscape", "header", "twscrape", "csv"]
ImportOutcome = Literal["created", "updated", "unchanged", "conflict", "refused"]
Sort = Literal["created_at", "-created_at", "username", "-username", "last_used", "-last_used"]

Username = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.@+\-]+$")]
Visible = r"^[\x20-\x7e]*$"
HeaderName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9\-]+$")]
HeaderValue = Annotated[str, Field(max_length=1024, pattern=Visible)]
CookieName = Annotated[str, Field(min_length=1, max_length=128)]
CookieValue = Annotated[str, Field(max_length=4096)]
Budget = Annotated[int, Field(ge=1, le=1_000_000)]

_SECRET_HEADERS = frozenset({"cookie", "authorization", "x-csrf-token", "proxy-authorization"})


def _no_secrets(headers: dict[str, str]) -> dict[str, str]:
    found = sorted(_SECRET_HEADERS & {name.lower() for name in headers})
    if found:
        raise PydanticCustomError("no_secret_headers", "Leave out {names}: give cookies instead", {"names": found[0]})
    return headers


def _totp(given: str) -> str:
    """ "" empties it."""
    try:
        return read_secret(given) if given else given
    except ValueError as error:
        raise PydanticCustomError("totp_secret", "{reason}", {"reason": str(error)}) from error


Line = Annotated[str, text(512)]
Email = Annotated[str, text(320)]
Totp = Annotated[str, text(256), AfterValidator(_totp)]
ProxyId = Annotated[str, text(64, min_length=1)]
Cookies = Annotated[
    Annotated[dict[CookieName, CookieValue], Field(max_length=200)] | Annotated[str, Field(max_length=65_536)],
    Field(description="Name to value, or the text of a cookie header, a browser's JSON, or base64 of either."),
]
Headers = Annotated[
    dict[HeaderName, HeaderValue],
    Field(
        max_length=30, description="Sent with each request; shown in reads, so those that carry secrets are refused."
    ),
    AfterValidator(_no_secrets),
]


class AccountCreate(Body):
    """A new account. It can work once it has the cookies `auth_token` and `ct0`."""

    username: Username
    platform: Platform = "x"
    password: Line | None = None
    email: Email | None = None
    email_password: Line | None = None
    login_method: LoginMethod | None = None
    """By default COOKIES for an account that has some, otherwise TWITTER."""
    proxy_id: ProxyId | None = None
    cookies: Cookies | None = None
    headers: Headers = Field(default_factory=dict)
    user_agent: Annotated[str, Field(max_length=512, pattern=Visible)] | None = None
    totp: Totp | None = None
    active: bool = True
    daily_budget: Budget | None = None


class AccountUpdate(Body):
    """What is to change; a field that is absent stays. null empties a field (not username, active, login_method)."""

    username: Username | None = None
    password: Line | None = None
    email: Email | None = None
    email_password: Line | None = None
    login_method: LoginMethod | None = None
    proxy_id: ProxyId | None = None
    cookies: Cookies | None = None
    headers: Headers | None = None
    user_agent: Annotated[str, Field(max_length=512, pattern=Visible)] | None = None
    totp: Totp | None = None
    active: bool | None = None
    daily_budget: Budget | None = None
    status: Annotated[Literal["ACTIVE"] | None, Field(description="ACTIVE declares the account healthy again.")] = None


class AccountRead(BaseModel):
    """An account as it is shown."""

    id: str
    owner_id: str
    platform: str
    username: str
    email: str | None
    login_method: str
    proxy_id: str | None
    headers: dict[str, str]
    user_agent: str | None
    active: bool
    status: State
    error_msg: str | None
    daily_budget: int | None
    used_today: int
    secrets_set: list[str]
    """Names of the secrets that are stored."""
    last_used: datetime | None
    created_at: datetime
    updated_at: datetime


class AccountFilter(BaseModel):
    """What a list is narrowed to."""

    status: State | None = None
    platform: str | None = None
    username: str | None = None
    """A part of the name."""
    name: str | None = None
    """The whole of it."""
    active: bool | None = None
    sort: Sort = "-created_at"


class Rest(BaseModel):
    """What is known of one operation; `*` stands for all of them."""

    operation: str
    until: datetime | None
    limit: int | None = None
    remaining: int | None = None
    reset_at: datetime | None = None
    used_today: int = 0


class Holder(BaseModel):
    """Who works with the account now."""

    holder: str
    operation: str
    expires_at: datetime


class LastReport(BaseModel):
    """The newest answer of the platform to this account."""

    at: datetime
    operation: str
    status: int
    error_codes: list[int]
    body_kind: str
    verdict: str
    action: str = ""
    """What the playbook made of it."""
    rule: str = ""
    """The playbook's rule that decided."""
    playbook: str = ""
    """The revision of that playbook; empty for what none says, as the day's budget."""
    error_text: str


class AccountStatus(BaseModel):
    """How an account is, in words and numbers."""

    id: str
    state: State
    usable: bool
    """True when it may be leased for an operation that does not rest."""
    sentence: str
    next_step: str
    """What would help, as a word: wait, switch_on, login, import_cookies, give_secret, give_key, assist, look, revive;
    empty when nothing has to be done."""
    advice: str
    """The next step in words."""
    rests: list[Rest]
    lease: Holder | None
    login: LoginNow | None
    """The login that waits or runs."""
    last_report: LastReport | None
    daily_budget: int
    used_today: int


class ImportRequest(Body):
    """A file of accounts as text."""

    text: Annotated[str, Field(min_length=1, max_length=1_000_000)]
    format: ImportFormat = "auto"
    line_format: Annotated[str, Field(max_length=200)] | None = None
    """Fields of a line and their delimiter, `username:password:email:email_password:_:cookies`; `_` skips one."""
    username: Username | None = None
    """Name for a file that holds the cookies of one account."""
    proxy_id: ProxyId | None = None
    update: bool = False
    """Replace what an account has already; otherwise a line with other values is a `conflict`."""


class ImportLine(BaseModel):
    """What became of one line or record."""

    line: int
    outcome: ImportOutcome
    """`conflict`: the account has other values there already, and nothing of the line was taken."""
    username: str
    account_id: str | None
    reason: str


class ImportResult(BaseModel):
    """What became of a file."""

    format: str
    created: int
    updated: int
    unchanged: int
    conflict: int
    refused: int
    unknown_columns: list[str] = Field(
        [], description="Columns of a CSV that nothing was taken from; one that is no name is told by its number."
    )
    known_columns: list[str] = Field([], description="What columns may be called, when there are unknown ones.")
    lines: list[ImportLine]
