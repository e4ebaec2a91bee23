"""What a process holds in memory is written to no file when it crashes."""

import subprocess
import sys

SCRIPT = """
import asyncio, resource
from xget_standalone.process import Process
asyncio.run(Process().listen())
print(resource.getrlimit(resource.RLIMIT_CORE)[0])
"""


def test_no_core_is_written() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=240)
    assert done.stdout.split() == ["0"]
