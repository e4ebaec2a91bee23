"""Where everything goes: the engines that the environment selects, or a file of such settings."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Final

from xget_kernel.engines import Concern, EngineSettings, masked
from xget_kernel.errors import StartupError
from xget_kernel.settings import ServiceSettings
from xget_standalone.services import settings_class

MOVING: Final[tuple[Concern, ...]] = ("tables", "documents", "search", "events")
"""What holds something that may not be lost, or is built again from it."""
_LINE: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")


class Target:
    """Settings of the target; `stays(concern)` when it is embedded in the very folder that is moved."""

    def __init__(self, home: Path, source: Path) -> None:
        self.home = home
        self.settings = ServiceSettings(home=home)
        self.same_home = home.resolve() == source.resolve()
        if not any(self.settings.is_real(concern) for concern in MOVING):
            raise StartupError(
                "The target selects no real engine: set POSTGRES_SERVER, MONGODB_URL, ELASTICSEARCH_URL or "
                "KAFKA_BOOTSTRAP_SERVERS, in the environment or in a file that --to names."
            )

    def of(self, service: str) -> ServiceSettings:
        """Settings of a service there."""
        return settings_class(service)(home=self.home)

    def stays(self, concern: Concern) -> bool:
        """Whether the concern is where it has to be already."""
        named = concern == "tables" and bool(self.settings.database_url)
        return self.same_home and not named and not self.settings.is_real(concern)

    def addresses(self) -> dict[str, str]:
        """Engine and place of each concern, without credentials."""
        settings = self.settings
        home = str(self.home)
        mongo, search = settings.mongodb_url, settings.elasticsearch_url
        places = {
            "tables": masked(settings.tables("SERVICE")) if settings.is_real("tables") else home,
            "documents": f"{masked(mongo.reveal())} {settings.mongodb_db}" if mongo else home,
            "search": f"{masked(search.reveal())} {settings.elasticsearch_index}" if search else home,
            "events": f"{settings.kafka_bootstrap_servers or home} {settings.kafka_prefix}".strip(),
            "keys": home,
        }
        return {
            name: f"{settings.engine_of(name)} {place}" if name in MOVING else place for name, place in places.items()
        }

    def name(self) -> str:
        """The same text for the same target."""
        return json.dumps([self.addresses(), str(self.home.resolve())])


def read_settings(path: Path | None) -> None:
    """Take settings from a file of NAME=VALUE lines: for engines it stands alone. Raises StartupError."""
    if path is None:
        return
    if not path.is_file():
        raise StartupError(f"There is no file {path}: name a file of NAME=VALUE lines with --to.")
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise StartupError(
            f"The file {path} cannot be read ({reason}): name a file of NAME=VALUE with --to."
        ) from error
    found = dict(_setting(path, number, line) for number, line in enumerate(lines, 1) if _says(line))
    for field in EngineSettings.model_fields.values():
        if isinstance(field.validation_alias, str) and field.validation_alias != "XGET_HOME":
            os.environ.pop(field.validation_alias, None)
    os.environ.update(found)


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _setting(path: Path, number: int, line: str) -> tuple[str, str]:
    """Name and value; quotes around the value are left out. The value is never shown: it may be a secret."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise StartupError(f"Line {number} of {path} is no setting: write it as NAME=VALUE.")
    name, value = match[1], match[2]
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return name, value[1:-1] if quoted else value
