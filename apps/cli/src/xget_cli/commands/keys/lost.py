"""`xget keys lost`: what no key opens, told from the tables while nothing runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from xget_cli.errors import CliError
from xget_cli.output import line, print_json, table

if TYPE_CHECKING:
    from xget_standalone.lost_keys import Lost


def lost(
    *,
    home: Annotated[Path | None, Parameter(help="Folder of files and keys (XGET_HOME, ./.xget).")] = None,
    begin_anew: Annotated[bool, Parameter(negative="", help="Go on without what no key opens.")] = False,
    json: Annotated[bool, Parameter(negative="", help="Print JSON instead of tables.")] = False,
) -> int:
    """Name the stored secrets that no key opens, also while nothing runs; exit code 1 if there are any.

    Reads the tables of this installation, by the same settings as the services. Restore the keys from a backup if you
    can. If not, stop everything: --begin-anew makes a new key where there is none, and a new signing key where it does
    not open, so that XGet starts. No other secret is changed: accounts and proxies wait for theirs to be given again,
    users stay.
    """
    from xget_kernel.errors import StartupError  # noqa: PLC0415 - `xget --help` must not load the engines' clients
    from xget_standalone.lost_keys import looked  # noqa: PLC0415 - `xget --help` must not load the engines' clients

    try:
        found, newest = asyncio.run(looked(home, anew=begin_anew))
    except StartupError as error:
        raise CliError(str(error)) from error
    if json:
        print_json({"lost": [_json(one) for one in found], "newest": newest})
    else:
        _show(found, newest, begin_anew=begin_anew)
    return 1 if found and not begin_anew else 0


def _show(found: list[Lost], newest: list[str], *, begin_anew: bool) -> None:
    if not found:
        line("Every stored secret opens: no key is lost.")
    for one in found:
        columns = ["service", "table", "column", "key", "secrets"]
        table("", columns, [(one.service, c.table, c.column, c.key_id, c.rows) for c in one.counts])
    rows = [(one.service, row.table, row.id, row.column, row.key_id) for one in found for row in one.rows]
    if rows:
        table("\nRows", ["service", "table", "row_id", "column", "key"], rows)
    if begin_anew:
        told = f"the key {', '.join(newest)} encrypts from now on" if newest else "there are no tables yet"
        line(f"Begun anew: {told}. Start XGet again.")
        if found:
            line("Then set what is lost again: `xget accounts import FILE`, `xget proxies import FILE`.")
    elif found:
        line("1. Restore the keys.json, the table data_keys or XGET_KEYS that holds these keys, and start again.")
        line("2. Without a backup: stop everything, `xget keys lost --begin-anew`, start, and set these secrets again.")


def _json(one: Lost) -> dict[str, object]:
    counts = [{"table": c.table, "column": c.column, "key_id": c.key_id, "rows": c.rows} for c in one.counts]
    rows = [{"table": r.table, "id": r.id, "column": r.column, "key_id": r.key_id} for r in one.rows]
    return {"service": one.service, "counts": counts, "rows": rows}
