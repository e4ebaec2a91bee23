"""Lint proto/xget (buf STANDARD) and refuse changes that break callers of a git revision (default: main).

Needs no network. A revision that holds no protos yet is a first release: there is nothing to break.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command at the root of the tree and keep what it says."""
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def buf(*arguments: str) -> int:
    """Run buf on proto/, print its findings, and return its exit code."""
    done = run(str(Path(sys.executable).parent / "buf"), *arguments)
    sys.stdout.write(done.stdout + done.stderr)
    return done.returncode


def released(revision: str) -> bool:
    """Whether a revision exists and holds protos to stay compatible with."""
    return bool(run("git", "ls-tree", "-r", "--name-only", revision, "proto/xget").stdout.strip())


def main() -> int:
    """Lint, then compare with the revision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", default="main", help="git revision whose callers must keep working")
    against = parser.parse_args().against
    failed = buf("lint", "proto")
    if released(against):
        commit = run("git", "rev-parse", against).stdout.strip()
        failed |= buf("breaking", "proto", "--against", f".git#subdir=proto,ref={commit}")
    else:
        print(f"no protos at {against}: a first release has nothing to break")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
