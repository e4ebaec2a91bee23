"""A playbook file is looked at without any service."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from xget_cli.errors import CliError
from xget_cli.main import build

GOOD = """
version: 1
name: mine
rules:
  - name: calm
    when: {codes: [88]}
    action: rest
    rest: 2h
otherwise: {action: rest, rest: 5m, all: true}
"""


def test_a_file_is_shown_or_refused_with_its_line_and_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(GOOD, "utf-8")
    words = ["accounts", "playbook", "--check", str(file), "--offline", "--json"]
    run = partial(build(), exit_on_error=False, print_error=False, result_action="return_value")
    run(words)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["rules"][0]["name"], shown["rules"][0]["rest_seconds"]) == ("calm", 7200)
    file.write_text(GOOD.replace("action: rest\n", "action: sleep\n"), "utf-8")
    with pytest.raises(CliError) as refused:
        run(words)
    assert refused.value.message.startswith("mine.yaml:7: rule 'calm': 'sleep' is no action")
    assert "\n" not in refused.value.message
