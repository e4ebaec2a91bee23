"""`make cluster`: real engines and one process per service on this machine; Ctrl-C drains and stops all of it.

Engines are a set of scripts/engines that belongs to the home folder, whose keys encrypt what they hold; it stays for
the next time. Arguments are those of `xget cluster`, as --port-base 9000 or --replicas worker=2,storage=2. With
--engines-from-env no engine is started: those of the environment are used.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENGINES = [sys.executable, str(ROOT / "scripts" / "engines")]
XGET = str(Path(sys.executable).with_name("xget"))
REFUSED = 2
SETTINGS = {
    "postgres": "DATABASE_URL",
    "mongodb": "MONGODB_URL",
    "elasticsearch": "ELASTICSEARCH_URL",
    "kafka": "KAFKA_BOOTSTRAP_SERVERS",
    "redis": "REDIS_URL",
}


def understood(arguments: list[str]) -> tuple[Path, bool, list[str]]:
    """The home folder of the cluster, whether the environment has its engines, and what is for `xget cluster`."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--home", type=Path, default=ROOT / ".xget" / "cluster")
    parser.add_argument("--engines-from-env", action="store_true")
    own, others = parser.parse_known_args(arguments)
    home = own.home.resolve()
    return home, own.engines_from_env, ["--home", str(home), *others]


def set_of(home: Path) -> str:
    """The name of its engines."""
    return f"cluster-{hashlib.sha256(str(home).encode()).hexdigest()[:8]}"


def start_engines(name: str) -> dict[str, str]:
    """Settings that select the engines of the set, started."""
    command = [*ENGINES, "start", "--set", name, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        stop_engines(name)
        sys.exit("cluster: the engines did not start (see above).")
    return {SETTINGS[name]: url for name, url in json.loads(done.stdout).items()}


def stop_engines(name: str) -> None:
    """Stop the set; data stay."""
    subprocess.run([*ENGINES, "stop", "--set", name], check=False)


def run(arguments: list[str], engines: dict[str, str]) -> int:
    """Run `xget cluster` until it ends; a stop of this process is one of that."""
    child = subprocess.Popen([XGET, "cluster", *arguments], env={**os.environ, **engines})
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C reaches the child by itself
    return child.wait()


def main() -> int:
    """The exit code of `xget cluster`."""
    home, chosen, arguments = understood(sys.argv[1:])
    if chosen:
        return run(arguments, {})
    name, new = set_of(home), not (home / "keys.json").exists()
    engines = start_engines(name)
    try:
        code = run(arguments, engines)
    finally:
        stop_engines(name)
    if code == REFUSED and new:
        anew = f"{sys.executable} {ENGINES[1]} stop --set {name} --remove"
        print(f"cluster: to begin anew, with empty engines: {anew}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
