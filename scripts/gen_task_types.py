"""Write docs/reference/task-types.md from the declarations of task types; `--check` compares and exits 1 on drift."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xget_sources.ports import TaskTypeSpec
from xget_sources.x.fields import MAX_TARGETS
from xget_sources.x.queries import Filtered
from xget_sources.x.queries.checking import MAX_QUERY
from xget_sources.x.tasks import ALIASES, TASK_TYPES
from xget_sources.x_api.declared import TASK_TYPES as API_TYPES

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "task-types.md"
HEAD = f"""# Task types

`make generate` writes this page from [the declarations](../../libs/sources/src/xget_sources/x/tasks/declared.py).

A task is `{{"task_name": …, "task_type": …, "parameters": {{…}}}}` at `POST /api/v1/tasks`; on the command line
`xget tasks create TYPE`, with the type in small letters and dashes. `POST /api/v1/tasks/preview` and
`xget tasks preview TYPE` show what would be asked and how much it takes; nothing is asked or stored.

**Targets.** Where a type has a parameter for one (`username`) and one for many (`usernames`), give one of all of
them. A list has at most {MAX_TARGETS:,} entries, each counted once, and a request at most 1 MB. `limit` counts for the
task as a whole, `limit_per_target` for each target; every target has its own end reason. On the command line write
several, or `--file`.

**Ends** of a target: `exhausted`, `window_covered`, `limit_reached`; `ranking_ended` (X showed all that it chose to
show of Top, Media or people, which need not be all there is); `stalled`; `not_found` (missing, deleted,
renamed), `protected`, `suspended`, `unavailable` (withheld, closed, or not for this account).

**Routes.** `"routes": ["x_session", "x_api"]` (`--route`, repeated) names the ways to X in order; without it a task
asks by `x_session`. The table says what each serves. When one has no account, is blocked or has spent its money, the
next goes on at a page boundary: [the official API](../howto/official-api.md).

**Searches** (types that take `product`) become a query of X's of at most {MAX_QUERY} characters, of which a run may
need up to 44 to narrow the query in time. Only `Latest` is narrowed, and only it can be complete. A query that is
written by hand is taken as it is.
"""


def main() -> int:
    """Write the page, or compare it."""
    fresh = page()
    if "--check" in sys.argv:
        current = PAGE.read_text("utf-8") if PAGE.exists() else ""
        if current != fresh:
            print(f"{PAGE.relative_to(ROOT)} is not what the declarations say: run `make generate`.")
            return 1
        return 0
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(fresh, "utf-8")
    return 0


def page() -> str:
    """The whole page."""
    return "\n".join(
        [HEAD, *overview(), "", *filters(), *(line for spec in TASK_TYPES.values() for line in told(spec))]
    )


def overview() -> Iterator[str]:
    """One line for each type."""
    yield "| type | collects | results | X's operations (`x_session`) | of X's official API (`x_api`) |"
    yield "|---|---|---|---|---|"
    for spec in TASK_TYPES.values():
        operations = " ".join(f"`{operation}`" for operation in spec.operations)
        served = API_TYPES.get(spec.name)
        api = " ".join(f"`{operation}`" for operation in served.operations) if served else "–"
        yield f"| [`{spec.name}`](#{spec.name.lower()}) | {spec.summary} | {spec.item_kind} | {operations} | {api} |"
    yield ""
    yield "Other names: " + ", ".join(f"`{alias}` for `{name}`" for alias, name in ALIASES.items()) + "."


def filters() -> Iterator[str]:
    """What all searches share."""
    yield "## Filters of searches"
    yield ""
    yield from table(Filtered.model_json_schema()["properties"], but=set())
    yield ""


def told(spec: TaskTypeSpec) -> Iterator[str]:
    """A section: what a type takes, with an example."""
    yield f"## {spec.name}"
    yield ""
    size = f"Up to {spec.page_size} results a page." if spec.page_size else "One page is all there is."
    account = " The task must name its account (`account_id`)." if spec.own_account else ""
    yield f"{spec.summary} {size}{account}"
    shared = issubclass(spec.parameters, Filtered)
    if shared:
        yield "All [filters of searches](#filters-of-searches) narrow it."
    yield ""
    yield from table(
        spec.parameters.model_json_schema()["properties"], but=set(Filtered.model_fields) if shared else set()
    )
    yield ""
    yield "```json"
    yield json.dumps({"task_type": spec.name, "parameters": dict(spec.example)}, ensure_ascii=False)
    yield "```"
    yield ""


def table(properties: Mapping[str, Any], but: set[str]) -> Iterator[str]:
    """Parameters with their kinds; the limits come last."""
    yield "| parameter | kind | |"
    yield "|---|---|---|"
    last = ("limit_per_target", "limit")
    for name in sorted(properties, key=lambda name: last.index(name) + 1 if name in last else 0):
        if name not in but:
            field = properties[name]
            yield f"| `{name}` | {kind_of(field)} | {field.get('description', '')} |"


def kind_of(field: Mapping[str, Any]) -> str:
    """A field of a JSON schema in words."""
    choices = [choice for choice in field.get("anyOf", [field]) if choice.get("type") != "null"]
    if choices[0].get("type") == "array":
        items = choices[0]["items"]
        return f"up to {choices[0]['maxItems']:,} of: {kind_of(items)}"
    if values := choices[0].get("enum"):
        return " or ".join(f"`{value}`" for value in values)
    names = {"string": "text", "integer": "number", "boolean": "yes or no"}
    if choices[0].get("format") == "date-time":
        return "day or time"
    return " or ".join(dict.fromkeys(names[choice["type"]] for choice in flat(choices)))


def flat(choices: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Alternatives of alternatives as one row."""
    for choice in choices:
        yield from flat(choice["anyOf"]) if "anyOf" in choice else [choice]


if __name__ == "__main__":
    sys.exit(main())
