"""`python scripts/tools NAME` prints the path of promtool, jaeger or chromium, bringing it first if need be."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engines.errors import EngineError
from engines.install import say

from tools import chromium, jaeger, promtool

TOOLS = {"promtool": promtool.path, "jaeger": jaeger.path, "chromium": chromium.path}


def main() -> int:
    """0 with a path on stdout, 1 with a sentence on stderr."""
    names = sys.argv[1:]
    if len(names) != 1 or names[0] not in TOOLS:
        say(f"name one of {', '.join(TOOLS)}")
        return 2
    try:
        print(TOOLS[names[0]]())
    except EngineError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
