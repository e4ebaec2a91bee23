"""`make demo`: the main job, end to end, with the commands a user would type.

Starts the sandbox and `xget up` on free ports with everything under demo-out/, collects posts, searches, exports,
compares what is stored with what the sandbox knows to exist, and stops what it started.
"""

from __future__ import annotations

import csv
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "demo-out"
XGET = str(Path(sys.executable).with_name("xget"))
QUERY = "AI OR 人工智能"
LIMIT = 300


class DemoError(Exception):
    """A step that did not do what it promises."""


class Demo:
    """The running parts and the environment that the commands share."""

    def __init__(self) -> None:
        self.base, self.sandbox_port = free_ports()
        self.env = {
            **os.environ,
            "TWS_TELEMETRY": "0",
            "SSL_CERT_FILE": str(OUT / "ca.pem"),
            "XGET_URL": f"http://127.0.0.1:{self.base}",
            "XGET_CONFIG_DIR": str(OUT / "config"),
            "COLUMNS": os.environ.get("COLUMNS", "110"),
        }
        self.env.pop("XGET_HOME", None)
        self.running: list[subprocess.Popen[str]] = []

    def start(self, *command: str) -> None:
        """Start a part and wait for its one ready line."""
        say(f"$ {shlex.join(['xget', *command])} &")
        with (OUT / f"{command[0]}.log").open("w") as errors:
            part = subprocess.Popen(
                [XGET, *command], env=self.env, cwd=OUT, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self.running.append(part)
        assert part.stdout is not None  # noqa: S101 - Popen was asked for a pipe
        ready = part.stdout.readline().strip()
        if not ready:
            raise DemoError((OUT / f"{command[0]}.log").read_text().strip() or f"xget {command[0]} did not start")
        say(ready)

    def xget(self, *command: str, typed: str | None = None, quiet: bool = False) -> str:
        """Run one command of the CLI as a user would; its output is shown unless it is asked for as JSON."""
        if not quiet:
            say(f"$ {shlex.join(['xget', *command])}")
        capture = quiet or "--json" in command
        result = subprocess.run(
            [XGET, *command],
            env=self.env,
            cwd=OUT,
            text=True,
            input=typed,
            stdout=subprocess.PIPE if capture else None,
            check=False,
        )
        if result.returncode:
            raise DemoError(f"xget {command[0]} ended with exit code {result.returncode}")
        return result.stdout or ""

    def stop(self) -> None:
        """Stop what was started, by pid, last first."""
        for part in reversed(self.running):
            part.send_signal(signal.SIGTERM)
        for part in reversed(self.running):
            try:
                part.wait(timeout=15)
            except subprocess.TimeoutExpired:
                part.kill()
                part.wait()
            if part.stdout:
                part.stdout.close()


def free_ports() -> tuple[int, int]:
    """A base with the gateway's and the services' ports free above it, and one port more."""
    for base in range(8000, 60000, 1100):
        wanted = [base + n for n in range(9)] + [base + 1000 + n for n in range(9)]
        if all(is_free(port) for port in wanted):
            return base, base + 99
    raise DemoError("No free range of ports between 8000 and 60000.")


def is_free(port: int) -> bool:
    """True when nothing listens on the port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def say(text: str) -> None:
    """One line of the demo itself."""
    print(f"\033[1m{text}\033[0m" if sys.stdout.isatty() and text.startswith("$") else text, flush=True)


def prepare() -> None:
    """An empty demo-out with the two files that a user would bring."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    cookies = [{"name": "auth_token", "value": "a" * 40}, {"name": "ct0", "value": "c" * 32}]
    (OUT / "cookies.json").write_text(json.dumps([{**c, "domain": ".x.com", "path": "/"} for c in cookies]))


def collect(demo: Demo) -> str:
    """Bring the account and the proxy, collect with a live bar, return the task's id."""
    demo.xget("login", "demo", "--register", "--password-stdin", typed="a long demo passphrase\n")
    demo.xget("accounts", "import", "cookies.json", "--username", "demo_account")
    demo.xget("proxies", "import", "-", "--internal", typed=f"http://127.0.0.1:{demo.sandbox_port}\n")
    demo.xget("tasks", "create", "keyword-search", QUERY, "--limit", str(LIMIT), "--watch")
    tasks = json.loads(demo.xget("tasks", "list", "--json", quiet=True))
    return str(tasks["items"][0]["id"])


def look(demo: Demo, task: str) -> None:
    """Search in two languages and export in two formats."""
    wait_for_search(demo)
    demo.xget("search", "AI", "--size", "3")
    demo.xget("search", "人工智能", "--lang", "zh", "--size", "3")
    demo.xget("export", task, "--format", "jsonl", "-o", "posts.jsonl")
    demo.xget("export", task, "--format", "csv", "-o", "posts.csv")


def wait_for_search(demo: Demo) -> None:
    """The index may lag behind the documents for a moment; say so instead of showing half of it."""
    for _ in range(100):
        if json.loads(demo.xget("search", "人工智能", "--json", quiet=True))["total"]:
            return
        time.sleep(0.1)


def compare(demo: Demo) -> None:
    """Hold the export against the sandbox's truth, item by item."""
    wanted = urlencode({"task_type": "KEYWORD_SEARCH", "query": QUERY, "limit": LIMIT})
    with urllib.request.urlopen(f"http://127.0.0.1:{demo.sandbox_port}/__sandbox__/truth?{wanted}") as answer:
        truth = {str(post) for post in json.load(answer)["matches"][:LIMIT]}
    items = [json.loads(line) for line in (OUT / "posts.jsonl").read_text("utf-8").splitlines()]
    stored = [item["native_id"] for item in items if item["role"] == "match"]
    with (OUT / "posts.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found, doubled = len(truth & set(stored)), len(stored) - len(set(stored))
    say(f"\nStored against the truth: {found} of {len(truth)}, {doubled} duplicates; CSV rows: {len(rows)}.")
    if found != len(truth) or doubled or len(stored) != len(truth) or len(rows) != len(items):
        raise DemoError("What is stored is not what exists.")


def main() -> int:
    """Run the demo; 0 when every step did what it promises."""
    began = time.monotonic()
    prepare()
    demo = Demo()
    try:
        demo.start("sandbox", "--port", str(demo.sandbox_port), "--ca", "ca.pem")
        demo.start("up", "--port-base", str(demo.base), "--home", "home")
        task = collect(demo)
        look(demo, task)
        compare(demo)
    except (DemoError, OSError, KeyboardInterrupt) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    finally:
        demo.stop()
    say(f"Done in {time.monotonic() - began:.0f} s; everything is stopped, the files are in demo-out/. Try next:")
    say("  .venv/bin/xget sandbox --ca ca.pem &                           # an X to play with, on port 8899")
    say("  SSL_CERT_FILE=ca.pem .venv/bin/xget up --open                  # XGet on http://127.0.0.1:8000/docs")
    say("  .venv/bin/xget tasks create --help                             # what can be collected")
    return 0


if __name__ == "__main__":
    sys.exit(main())
