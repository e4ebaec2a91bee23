"""Jaeger, built from its Go module once: eight minutes, then the program lies in the cache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from engines.errors import EngineError
from engines.install import installed, say

VERSION = "v1.76.0"
MODULE = "github.com/jaegertracing/jaeger"
SARAMA = "github.com/Shopify/sarama"
MOD = f"""module xget/jaeger

go 1.24

require {MODULE} {VERSION}

replace {SARAMA} => {SARAMA} v1.33.0
"""


def path() -> Path:
    """The program. Raises EngineError where it is not there and cannot be built."""
    return installed(f"jaeger-{VERSION}", _build, lock="jaeger") / "jaeger"


def _build(folder: Path) -> None:
    go = shutil.which("go")
    if not go:
        raise EngineError("Go is missing; Jaeger is built with it. Install it: apt-get install golang")
    say("building Jaeger: about eight minutes, once")
    with tempfile.TemporaryDirectory(prefix="xget-jaeger-") as scratch:
        Path(scratch, "go.mod").write_text(MOD, "utf-8")
        # Its own go.sum, so that nothing is looked up in a checksum database for what it has pinned itself.
        module = json.loads(_go([go, "mod", "download", "-json", f"{MODULE}@{VERSION}"], scratch))
        shutil.copy(Path(module["Dir"], "go.sum"), Path(scratch, "go.sum"))
        Path(scratch, "go.sum").chmod(0o644)
        flags = ["-mod=mod", "-trimpath", "-ldflags", "-s -w", "-o", str(folder / "jaeger")]
        _go([*_nice(), go, "build", *flags, f"{MODULE}/cmd/jaeger"], scratch)


def _go(command: list[str], folder: str) -> str:
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": os.environ.get("GOFLAGS", "")}
    result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if result.returncode:
        last = "\n".join(result.stderr.strip().splitlines()[-8:])
        raise EngineError(f"Jaeger could not be built. It said:\n{last}")
    return result.stdout


def _nice() -> list[str]:
    nice = shutil.which("nice")
    return [nice, "-n", "19"] if nice else []
