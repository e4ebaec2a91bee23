"""Runs a migration and says each piece that it has done, so that a trial knows when to kill it."""

import asyncio
import sys
from pathlib import Path

from xget_standalone.migration.run import Options, migrate

source, home = map(Path, sys.argv[1:])
report = asyncio.run(migrate(Options(source=source, home=home), lambda *told: print(*told, flush=True)))
print("good" if report.good else report, flush=True)
