"""`make cluster`: real engines and one process per service on this machine; Ctrl-C drains and stops all of it.

Engines are the set "cluster" of scripts/engines; what they hold stays for the next time. Arguments are those of
`xget cluster`, as --port-base 9000 or --replicas worker=2,storage=2. With --engines-from-env no engine is started:
those of the environment are used.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENGINES = [sys.executable, str(ROOT / "scripts" / "engines")]
XGET = str(Path(sys.executable).with_name("xget"))
FROM_ENV = "--engines-from-env"
SETTINGS = {
    "postgres": "DATABASE_URL",
    "mongodb": "MONGODB_URL",
    "elasticsearch": "ELASTICSEARCH_URL",
    "kafka": "KAFKA_BOOTSTRAP_SERVERS",
    "redis": "REDIS_URL",
}


def start_engines() -> dict[str, str]:
    """Settings that select the engines of the set, started."""
    command = [*ENGINES, "start", "--set", "cluster", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        stop_engines()
        sys.exit("cluster: the engines did not start (see above).")
    return {SETTINGS[name]: url for name, url in json.loads(done.stdout).items()}


def stop_engines() -> None:
    """Stop the set; data stay."""
    subprocess.run([*ENGINES, "stop", "--set", "cluster"], check=False)


def run(arguments: list[str], engines: dict[str, str]) -> int:
    """Run `xget cluster` until it ends; a stop of this process is one of that."""
    home = [] if "--home" in arguments else ["--home", str(ROOT / ".xget" / "cluster")]
    child = subprocess.Popen([XGET, "cluster", *home, *arguments], env={**os.environ, **engines})
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C reaches the child by itself
    return child.wait()


def main() -> int:
    """The exit code of `xget cluster`."""
    arguments = sys.argv[1:]
    if FROM_ENV in arguments:
        return run([word for word in arguments if word != FROM_ENV], {})
    engines = start_engines()
    try:
        return run(arguments, engines)
    finally:
        stop_engines()


if __name__ == "__main__":
    sys.exit(main())
