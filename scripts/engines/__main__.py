"""Entry of `python scripts/engines`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from engines.cli import main  # noqa: E402 - the folder above must be on the path first

if __name__ == "__main__":
    sys.exit(main())
