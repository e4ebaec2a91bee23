"""What an account may use and spend on an official API."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from xget_account.models.base import Base

API: str = "_api"
"""Ends the platform of accounts that are asked through the platform's official API: `x_api`."""


class ApiAccess(Base):
    """The plan and the month of one account. Money is in millionths of a dollar."""

    __tablename__ = "api_access"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    full_archive: Mapped[bool] = mapped_column(Boolean, default=False)
    cap_micros: Mapped[int] = mapped_column(BigInteger, default=0)
    """Most that a month may cost. 0: nothing that costs."""
    cap_units: Mapped[int | None] = mapped_column(BigInteger)
    """Most posts and users that may be read in a month."""
    month: Mapped[str] = mapped_column(String(7), default="")
    """UTC month that the counts are of, as 2026-08."""
    units: Mapped[int] = mapped_column(BigInteger, default=0)
    micros: Mapped[int] = mapped_column(BigInteger, default=0)
    """What the month has cost, with what is held for the request under way."""
    requests: Mapped[int] = mapped_column(Integer, default=0)
    held_fence: Mapped[int] = mapped_column(Integer, default=0)
    """Lease that something is held for."""
    held_units: Mapped[int] = mapped_column(Integer, default=0)
    """What its request may read at most; counted already, and taken back as far as it is not read."""
    unit_micros: Mapped[int] = mapped_column(BigInteger, default=0)
    """Price of each of them."""


class ApiApp(Base):
    """Which developer app the tokens of an account are of, and what of its money nobody has told the end of."""

    __tablename__ = "api_apps"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    app: Mapped[str] = mapped_column(String(64), default="")
    """The owner's word for it; "" when he has not said."""
    app_key: Mapped[str] = mapped_column(String(160), default="", index=True)
    """The same for all accounts that are known to be of one app."""
    app_wide: Mapped[bool] = mapped_column(Boolean, default=False)
    """Asks with the app's own token: its windows are the app's. A user's are his."""
    open_fence: Mapped[int] = mapped_column(Integer, default=0)
    """The newest lease, until its report: what was held for it, should nobody ever tell."""
    open_units: Mapped[int] = mapped_column(Integer, default=0)
    open_micros: Mapped[int] = mapped_column(BigInteger, default=0)
    lost_month: Mapped[str] = mapped_column(String(7), default="")
    """UTC month of the next two."""
    lost_units: Mapped[int] = mapped_column(BigInteger, default=0)
    lost_micros: Mapped[int] = mapped_column(BigInteger, default=0)
    """Held for requests whose answers nobody has told of. They are among what the month has cost: X may bill them."""
