"""What became of the lines of a file, as people read it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from xget_cli.options import Common
from xget_cli.output import line, print_json, safe, table


def show_import(
    report: dict[str, Any], columns: tuple[str, ...], common: Common, *, told: Counter[str] | None = None
) -> int:
    """Print what became of each line; 1 when any was refused. `told` counts all lines when not all are listed."""
    lines = report["lines"] if "lines" in report else report["items"]
    outcomes = Counter(entry["outcome"] for entry in lines) if told is None else told
    if common.json:
        print_json(report)
    else:
        rows = [(e["line"], e["outcome"], *(e.get(c) for c in columns), e.get("reason")) for e in lines]
        if rows:
            table("", ["line", "outcome", *columns, "reason"], rows, spare=columns[1:])
        if report.get("unknown_columns"):
            line(_not_taken(report["unknown_columns"], report.get("known_columns", [])))
        line(", ".join(f"{n} {outcome}" for outcome, n in sorted(outcomes.items())) or "The file has no lines to take.")
    return 1 if outcomes["refused"] or outcomes["conflict"] or not outcomes else 0


def _not_taken(unknown: list[str], known: list[str]) -> str:
    told = f"Columns that are not known and were not taken: {', '.join(map(safe, unknown))}"
    return f"{told}; known are {', '.join(known)}." if known else f"{told}."
