"""What a run misses, drawn in 80 columns."""

from typing import Any

from xget_cli.commands.tasks.missing import timeline


def found(*gaps: tuple[str, str | None, str | None]) -> dict[str, Any]:
    items = [{"target": target, "since": since, "until": until, "why": "."} for target, since, until in gaps]
    return {"since": "2026-01-01T00:00:00Z", "until": "2026-01-09T00:00:00Z", "items": items, "total": len(items)}


def test_each_target_has_a_bar_of_its_own() -> None:
    drawn = timeline(
        found(
            ("AI", "2026-01-03T00:00:00Z", "2026-01-05T00:00:00Z"),
            ("AI", "2026-01-08T23:59:00Z", "2026-01-09T00:00:00Z"),
            ("量子", None, None),
        )
    )
    assert drawn[:4] == ["AI", "#" * 20 + "." * 20 + "#" * 39 + ".", "量子", "." * 80]
    assert drawn[4] == "2026-01-01 00:00" + " " * 48 + "2026-01-09 00:00"
    assert max(map(len, drawn)) == 80


def test_a_gap_however_short_is_seen() -> None:
    drawn = timeline(found(("AI", "2026-01-03T00:00:00Z", "2026-01-03T00:00:01Z")))
    assert drawn[1].count(".") == 1


def test_foreign_text_is_no_markup_and_many_targets_are_cut() -> None:
    drawn = timeline(found(*((f"\x1b[31m{n}" + "x" * 200, None, "2026-01-02T00:00:00Z") for n in range(30))))
    assert "\x1b" not in "".join(drawn)
    assert max(map(len, drawn)) == 80
    assert "… and 10 targets more" in drawn


def test_without_times_nothing_is_drawn() -> None:
    assert timeline({"since": None, "until": None, "items": [{"target": "AI", "since": None, "until": None}]}) == []
