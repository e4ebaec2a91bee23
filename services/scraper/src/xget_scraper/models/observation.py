"""Posts under observation: what a task found and looks at again as it grows older."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from xget_scraper.models.base import Base


class Observation(Base):
    """A post that a task will see again. There is no row once its curve has ended, or the post is gone.

    Times are Unix seconds: ages are added to them in SQL.
    """

    __tablename__ = "observations"
    __table_args__ = (
        Index("ix_observations_due", "due", "task_id"),
        Index("ix_observations_execution", "execution_id", "target"),
    )

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    born: Mapped[int] = mapped_column(BigInteger)
    """When the post was written."""
    due: Mapped[int] = mapped_column(BigInteger)
    """When it is to be seen next."""
    execution_id: Mapped[str | None] = mapped_column(String(36))
    """The execution that looks at it now, as its target of the number `target`."""
    target: Mapped[int | None]
    hidden: Mapped[str | None] = mapped_column(String(24))
    """Why the platform showed nothing of it last time, though it need not be gone for ever."""
