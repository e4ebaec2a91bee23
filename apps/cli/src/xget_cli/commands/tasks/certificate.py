"""The completion certificate as a table."""

from __future__ import annotations

from typing import Any

from xget_cli.output import table

HIDDEN = frozenset({"task_id", "execution_id", "status", "cursor_first", "cursor_last", "issued_at"})
"""Facts for machines; `--json` shows them."""


def show_certificate(task: dict[str, Any], certificate: dict[str, Any]) -> None:
    """Print what the certificate says, one line a fact."""
    rows: list[tuple[str, Any]] = [("task", task["task_name"]), ("status", task["status"])]
    if task.get("error_message"):
        rows.append(("error", task["error_message"]))
    for name, value in certificate.items():
        if name in HIDDEN or value in (None, [], {}):
            continue
        if isinstance(value, dict):
            rows.append((name.replace("_", " "), ", ".join(f"{v} {k}" for k, v in value.items())))
        elif isinstance(value, list) and isinstance(value[0], dict):
            rows += [(name.replace("_", " "), _told(part)) for part in value]
        elif isinstance(value, list):
            rows.append((name.replace("_", " "), ", ".join(str(v) for v in value)))
        elif isinstance(value, bool):
            rows.append((name.replace("_", " "), "yes" if value else "no"))
        else:
            rows.append((name.replace("_", " "), f"{value:.1f} s" if name == "duration" else value))
    table("Certificate", ["fact", "value"], rows)


def _told(part: dict[str, Any]) -> str:
    """A gap, a failed target, a route or a failover in one line."""
    if "requests" in part:
        return f"{part['route']}: {part['pages']} pages, {part['requests']} requests"
    if "from" in part:
        return f"{part['at']}: {part['to']} went on for {part['from']} with page {part['page']}. {part['why']}"
    if "why" in part:
        return f"{part['target']}: {part['since'] or 'the beginning'} to {part['until'] or 'the end'}. {part['why']}"
    return f"{part['label']}: {part['end_reason']}. {part['detail'] or ''}"
