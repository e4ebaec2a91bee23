"""Where Chromium is."""

from __future__ import annotations

import os
import shutil
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")


class NoChromium(Exception):
    """There is no Chromium where one should be; the text says what to do."""


def find_chromium(setting: str | None) -> str:
    """Path of Chromium: the setting's, else the first one on PATH. Raises NoChromium."""
    if setting:
        if not os.access(setting, os.X_OK):
            raise NoChromium(f"XGET_CHROMIUM names {setting}, which is no program: correct it or install chromium.")
        return setting
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise NoChromium("There is no Chromium: install it (apt-get install chromium) or set XGET_CHROMIUM to its path.")
