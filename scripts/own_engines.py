"""Real engines for one run of something: started first, stopped and removed at the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ENGINES = [sys.executable, str(Path(__file__).resolve().parent / "engines")]
NAMES = ("postgres", "redis", "mongodb", "elasticsearch", "kafka")


@contextmanager
def engines(kind: str) -> Iterator[dict[str, str]]:
    """Engines of this run of `kind`; yields the variables that tell of them. XGET_ENGINES names another set instead.

    XGET_ENGINES_PASS says that all data of the set go at the end of the run: nobody has to drop what is dear to drop.
    """
    if os.environ.get("XGET_ENGINES"):
        yield {}
        return
    own = ["--set", f"{kind}-{os.getpid()}"]
    start = [*ENGINES, "start", *own, "--json", "--owner-pid", str(os.getpid())]
    try:
        started = subprocess.run(start, stdout=subprocess.PIPE, text=True, check=False)
        known = json.loads(started.stdout or "{}")
        absent = [name for name in NAMES if name not in known]
        if absent and os.environ.get("XGET_REQUIRE_ENGINES") == "1":
            sys.exit(f"{kind}: no {', '.join(absent)} (see above), and XGET_REQUIRE_ENGINES=1 asks for every engine.")
        if absent:
            print(f"{kind}: skipping what needs {', '.join(absent)} (see above)", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix=f"xget-{kind}-") as folder:
            file = Path(folder) / "engines.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps(known), "utf-8")
            yield {"XGET_ENGINES": str(file), "XGET_ENGINES_PASS": "1"}
    finally:
        subprocess.run([*ENGINES, "stop", "--remove", *own], stderr=subprocess.DEVNULL, check=False)
