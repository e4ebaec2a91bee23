"""A package's migrations, run on a connection of any database."""

from __future__ import annotations

import importlib.util
import io
import threading
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from xget_kernel.errors import StartupError

# Alembic keeps the running migration in module globals: one at a time per process.
ONE_AT_A_TIME: Final = threading.Lock()


class Scripts:
    """The migrations of one package. Raises StartupError when the package is not installed."""

    def __init__(self, package: str) -> None:
        self.package = package
        self._config = _config(package)
        self._directory = ScriptDirectory.from_config(self._config)

    @property
    def head(self) -> str | None:
        """The newest revision of the code."""
        return self._directory.get_current_head()

    def current(self, connection: Connection) -> str | None:
        """The revision of the database."""
        context = MigrationContext.configure(connection, opts={"version_table": version_table(self.package)})
        heads = context.get_current_heads()
        return heads[0] if heads else None

    def migrate(self, connection: Connection, place: str, down_to: str | None) -> bool:
        """Up to the head, or down; False when there was nothing to do. `place` names the database to people."""
        current = self.current(connection)
        known = {script.revision for script in self._directory.walk_revisions()}
        if current is not None and current not in known:
            raise StartupError(
                f"The database {place} has version {current} of {self.package}, which is newer than this XGet "
                f"(it knows up to {self.head}): install the newer XGet again, or put back a backup "
                "from before the upgrade."
            )
        if down_to is None and current == self.head:
            return False
        self._config.attributes.update(connection=connection, version_table=version_table(self.package))
        if down_to is None:
            command.upgrade(self._config, "head")
        else:
            command.downgrade(self._config, down_to)
        return True


def run_env(context: Any, metadata: MetaData) -> None:
    """All that a service's `migrations/env.py` has to call, with `alembic.context` and the service's metadata."""
    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        target_metadata=metadata,
        version_table=attributes["version_table"],
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def version_table(package: str) -> str:
    """Name of the table that holds the revision of `package`."""
    return f"{package}_version"


def _config(package: str) -> Config:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise StartupError(f"The package {package} is not installed: run make setup.")
    folder = Path(spec.submodule_search_locations[0]) / "migrations"
    config = Config(stdout=io.StringIO(), output_buffer=io.StringIO())
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
