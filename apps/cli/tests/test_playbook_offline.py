"""A playbook file is looked at without any service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xget_cli.main import main

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


def test_a_file_is_shown_or_refused_with_its_line_and_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(GOOD, "utf-8")
    words = ["xget", "accounts", "playbook", "--check", str(file), "--offline"]
    monkeypatch.setattr("sys.argv", [*words, "--json"])
    with pytest.raises(SystemExit) as good:
        main()
    shown = json.loads(capsys.readouterr().out)
    assert (good.value.code, shown["rules"][0]["name"], shown["rules"][0]["rest_seconds"]) == (0, "calm", 7200)
    file.write_text(GOOD.replace("action: rest\n", "action: sleep\n"), "utf-8")
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as bad:
        main()
    told = capsys.readouterr().err
    assert bad.value.code == 2
    assert told.startswith("xget: mine.yaml:7: rule 'calm': 'sleep' is no action")
    assert told.count("\n") == 1
