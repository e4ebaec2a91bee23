"""Whether the keys are there, before anything starts."""

from __future__ import annotations

from xget_kernel.settings import ServiceSettings
from xget_standalone.choices import keys_of


async def check_keys(settings: ServiceSettings) -> None:
    """Raise StartupError when the key file is gone while what is stored needs it."""
    if not keys_of(settings).keys_path.exists():
        from xget_standalone.lost_keys import refuse_lost_keys  # noqa: PLC0415 - a start that has its keys needs none

        await refuse_lost_keys(settings)
