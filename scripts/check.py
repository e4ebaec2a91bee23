"""What `make check` runs: lint, strict types, layers, generated code. Every part runs; the failing ones are printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"


def sources() -> list[str]:
    """Source folders of every member that has code."""
    found = [p for group in ("libs", "services", "apps") for p in sorted((ROOT / group).glob("*/src"))]
    return [str(p.relative_to(ROOT)) for p in found]


def main() -> int:
    """Run every check, even when an earlier one failed, so that one run shows all."""
    checks = {
        "ruff": [str(BIN / "ruff"), "check", "--quiet", "."],
        "ruff format": [str(BIN / "ruff"), "format", "--quiet", "--check", "."],
        "mypy": [str(BIN / "mypy"), "--no-error-summary", *sources(), "scripts", "bench"],
        "import-linter": [str(BIN / "lint-imports"), "--no-logo"],
        "architecture": [str(BIN / "pytest"), "-q", "tests/architecture", "-p", "no:cacheprovider"],
        "protos": [str(BIN / "python"), "scripts/gen_protos.py", "--check"],
        "proto rules": [str(BIN / "python"), "scripts/lint_protos.py"],
        "topics": [str(BIN / "python"), "scripts/gen_topics.py", "--check"],
        "task types": [str(BIN / "python"), "scripts/gen_task_types.py", "--check"],
    }
    failed = []
    for name, command in checks.items():
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if result.returncode:
            failed.append(name)
            print(f"--- {name}\n{result.stdout}{result.stderr}", flush=True)
    print(f"check: {'failed: ' + ', '.join(failed) if failed else 'all ' + str(len(checks)) + ' passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
