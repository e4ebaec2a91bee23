"""What people see: foreign text cannot move the cursor, highlights are styled, sessions stay private."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xget_cli.output import highlighted, safe, table
from xget_cli.session import SessionFile


@given(st.text())
def test_foreign_text_has_no_control_characters(text: str) -> None:
    shown = safe(text)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in shown)


def test_a_highlight_is_styled_and_unescaped() -> None:
    text = highlighted("a &lt;b&gt; <em>量子</em> c")
    assert text.plain == "a <b> 量子 c"
    assert highlighted("a <em>量子</em>", marks=True).plain == "a [量子]"
    assert [text.plain[span.start : span.end] for span in text.spans if span.style] == ["量子"]


def test_a_session_is_kept_per_gateway_and_only_for_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XGET_CONFIG_DIR", str(tmp_path / "config"))
    file = SessionFile()
    tokens = {"username": "me", "access_token": "a", "refresh_token": "r"}
    file.put("http://one", tokens)
    file.put("http://two", tokens)
    file.put("http://two", None)
    assert (file.get("http://one"), file.get("http://two")) == (tokens, None)
    assert file.path.stat().st_mode & 0o777 == 0o600
    file.path.write_text("damaged")
    assert file.get("http://one") is None
    file.put("http://one", tokens)
    assert json.loads(file.path.read_text()) == {"http://one": tokens}


def test_ids_stay_in_one_piece(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    number = "01a2037b-ca95-7ba2-b2e5-c36d8bc1cce9"
    table("", ["id", "label", "task_id"], [[number, "words " * 20, None]])
    assert number in capsys.readouterr().out
