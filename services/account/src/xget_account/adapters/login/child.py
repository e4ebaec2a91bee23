"""The process that holds the browser, and the guard over it: `python -m … OWNER FOLDER`.

A process of its own gives all memory back, can be killed with everything below it, and ends with its worker: secrets
come through a pipe and are in no argument, environment or file.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from pathlib import Path

from xget_sources.browser.guarding import guard


def main() -> None:
    """Run one login under a guard, which ends with the process OWNER and makes and removes FOLDER."""
    guard(int(sys.argv[1]), Path(sys.argv[2]))
    asyncio.run(import_module("xget_account.adapters.login.driving").drive())  # the guard does without all of that


if __name__ == "__main__":
    main()
