"""Generate libs/contracts/src/xget from proto/xget; `--check` compares instead and exits 1 on drift.

The output depends on the protos and the locked grpcio-tools and mypy-protobuf only, so that it is committed once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
TARGET = ROOT / "libs" / "contracts" / "src" / "xget"


def protoc(out: Path) -> None:
    """Run protoc with all plugins over every proto; exits with its message when it refuses one."""
    binaries = Path(sys.executable).parent
    protos = sorted(path.relative_to(PROTO).as_posix() for path in (PROTO / "xget").rglob("*.proto"))
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"--proto_path={PROTO}",
        f"--proto_path={resources.files('grpc_tools') / '_proto'}",
        f"--plugin=protoc-gen-mypy={binaries / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={binaries / 'protoc-gen-mypy_grpc'}",
        *(f"--{kind}={out}" for kind in ("python_out", "grpc_python_out", "mypy_out", "mypy_grpc_out")),
        *protos,
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr.strip() or "protoc failed")


def generate(out: Path) -> dict[str, bytes]:
    """Generated files by path below `xget/`, with a py.typed marker for each service."""
    protoc(out)
    made = out / "xget"
    for service in (path for path in made.iterdir() if path.is_dir()):
        (service / "py.typed").touch()
    return read_tree(made)


def read_tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder by relative path, caches left out."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def drift(fresh: dict[str, bytes], committed: dict[str, bytes]) -> list[str]:
    """One line per file that is missing, stale or left over."""
    lines = [f"missing: {name}" for name in fresh.keys() - committed.keys()]
    lines += [f"left over: {name}" for name in committed.keys() - fresh.keys()]
    lines += [f"stale: {name}" for name in fresh.keys() & committed.keys() if fresh[name] != committed[name]]
    return sorted(lines)


def write(fresh: dict[str, bytes], committed: dict[str, bytes]) -> None:
    """Make the target folder hold exactly the fresh files."""
    for name in committed.keys() - fresh.keys():
        (TARGET / name).unlink()
    for name, body in fresh.items():
        if committed.get(name) != body:
            path = TARGET / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)


def main() -> int:
    """Write the generated code, or with --check name what has drifted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the code is not current")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        fresh = generate(Path(scratch))
    committed = read_tree(TARGET)
    lines = drift(fresh, committed)
    if not check:
        write(fresh, committed)
        print(f"{len(fresh)} generated files are current ({len(lines)} changed)")
        return 0
    for line in lines:
        print(line)
    if lines:
        print("Generated gRPC code has drifted from proto/: run `python scripts/gen_protos.py` and commit the result.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
