"""Settings of storage, read from the environment."""

from typing import ClassVar

from pydantic import Field

from xget_kernel.settings import ServiceSettings


class Settings(ServiceSettings):
    """Storage's own settings beside the common ones."""

    default_port: ClassVar[int] = 8007

    raw_page_days: int = Field(30, ge=0, le=36500)
    """Days that raw pages are kept; 0 keeps them for ever."""
    storage_batch_messages: int = Field(64, ge=1, le=1000)
    """Messages that are stored together at most."""
