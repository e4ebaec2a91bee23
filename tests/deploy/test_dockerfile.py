"""The image: linted, from the lock alone, and for an unprivileged user."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "docker" / "Dockerfile"
TEXT = re.sub(r"\\\n\s*", " ", FILE.read_text("utf-8"))
LINES = [line for line in TEXT.splitlines() if line and not line.startswith("#")]
STAGES = {stage.split("\n")[0].split(" AS ")[1]: stage.splitlines() for stage in TEXT.split("\nFROM ")[1:]}
LAST = STAGES["runtime"]


def instruction(name: str, stage: list[str] = LAST) -> list[str]:
    return [line.removeprefix(name).strip() for line in stage if line.startswith(f"{name} ")]


def test_hadolint_finds_nothing() -> None:
    hadolint = str(Path(sys.executable).with_name("hadolint"))
    done = subprocess.run([hadolint, "--no-color", str(FILE)], capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_hadolint_is_told_to_pass_over_has_its_reason() -> None:
    silenced = re.findall(r"# hadolint ignore=\S+(.*)", FILE.read_text("utf-8"))
    assert all(reason.strip().startswith("#") for reason in silenced)


def test_tools_stay_in_the_first_stage() -> None:
    assert list(STAGES) == ["build", "runtime", "browser", "xget"]
    assert STAGES["xget"] == ["runtime AS xget"], "nothing more is in the image without a browser"
    assert not [line for line in LAST if line.startswith("RUN") and ("pip" in line or "apt" in line)]
    assert instruction("COPY") == ["--from=build /opt/xget /opt/xget"]


def test_packages_come_from_the_lock_by_their_hashes_and_ours_from_the_tree() -> None:
    installs = [step for line in LINES for step in line.split("&&") if re.search(r"pip\b.* (install|wheel) ", step)]
    for step in installs:
        assert "--require-hashes" in step or "--no-index" in step, step
    copied = [line.split()[1] for line in LINES if line.startswith("COPY") and "--from" not in line]
    assert copied == ["requirements.lock", "gateway", "libs", "services", "apps"]
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert kept == copied, "the builder gets exactly what it copies"


def test_it_runs_as_a_number_and_not_as_root() -> None:
    (user,) = instruction("USER")
    uid, gid = user.split(":")
    assert int(uid) >= 10000
    assert int(gid) >= 10000


def test_commands_are_lists_so_that_signals_arrive() -> None:
    assert json.loads(instruction("ENTRYPOINT")[0]) == ["xget"]
    assert json.loads(instruction("CMD")[0])[0] == "up"
    health = next(line for line in LAST if line.startswith("HEALTHCHECK"))
    asked = json.loads(health.partition("CMD")[2])
    assert asked[0] == "python"
    compile(asked[2], "health", "exec")
    assert "SIGTERM" in instruction("STOPSIGNAL")


def test_all_that_is_written_is_in_the_volume_or_in_tmp() -> None:
    env = " ".join(instruction("ENV"))
    assert json.loads(instruction("VOLUME")[0]) == ["/var/lib/xget"]
    for setting in ("XGET_HOME=/var/lib/xget", "HOME=/tmp", "PYTHONDONTWRITEBYTECODE=1", "TWS_TELEMETRY=0"):
        assert setting in env


@pytest.mark.parametrize("secret", ["PASSWORD", "SECRET", "TOKEN", "KEYS="])
def test_no_secret_is_baked_in(secret: str) -> None:
    assert secret not in TEXT


def test_it_says_what_it_is() -> None:
    labels = " ".join(instruction("LABEL"))
    assert all(f"org.opencontainers.image.{name}=" in labels for name in ("title", "description", "version"))


def test_the_image_with_a_browser_adds_only_that_and_stays_without_privilege() -> None:
    browser = STAGES["browser"]
    assert browser[0] == "runtime AS browser"
    assert [" ".join(line.split()) for line in browser[1:] if line and not line.startswith("#")] == [
        "ENV XGET_CHROMIUM=/usr/bin/chromium XGET_CHROMIUM_SANDBOX=off",
        "USER 0:0",
        "RUN apt-get update && apt-get install -y --no-install-recommends chromium fonts-liberation"
        " && rm -rf /var/lib/apt/lists/*",
        f"USER {instruction('USER')[0]}",
    ]
