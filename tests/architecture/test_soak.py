"""`make soak` runs every test that has a long form."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GROUPS = ("libs", "services", "apps", "tests", "bench")


def test_make_soak_reaches_every_file_that_has_a_long_form() -> None:
    made = subprocess.run(["make", "-n", "soak"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    words = next(line for line in made.splitlines() if "XGET_SOAK=1" in line).partition(" all ")[2].split()
    reached = [ROOT / path for word in words for path in unfolded(word)]
    assert all(path.exists() for path in reached)
    long = [
        path
        for group in GROUPS
        for path in (ROOT / group).rglob("*.py")
        if path != Path(__file__) and "XGET_SOAK" in path.read_text("utf-8")
    ]
    left = [path for path in long if not any(path.is_relative_to(place) for place in reached)]
    assert len(long) > 5
    assert not left, f"Name these in SOAK of the Makefile: {left}"


def unfolded(word: str) -> list[str]:
    """What the shell makes of a word with braces."""
    braces = re.search(r"{([^}]*)}", word)
    return [word.replace(braces[0], part) for part in braces[1].split(",")] if braces else [word]
