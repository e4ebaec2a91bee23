"""Whether the keys are there, before anything starts."""

from __future__ import annotations

from xget_kernel.settings import ServiceSettings


async def check_keys(settings: ServiceSettings) -> None:
    """Raise StartupError when the key file is gone while what is stored needs it."""
    if not (settings.home / "keys.json").exists():
        from xget_standalone.lost_keys import refuse_lost_keys  # noqa: PLC0415 - a start that has its keys needs none

        await refuse_lost_keys(settings)
