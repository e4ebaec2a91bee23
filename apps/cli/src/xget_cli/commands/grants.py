"""`xget accounts grants …` and `xget proxies grants …`"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from cyclopts import App, Parameter

from xget_cli.client import Client
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import line, print_json, table

_COLUMNS = ["id", "owner_id", "grantee_id", "platform", "subject_id", "granted_at", "expires_at", "revoked_at"]


def grants_app(what: str) -> App:
    """The commands about grants of accounts or proxies."""
    app = App(name="grants", help=f"Let others use your {what}.", help_format="markdown")
    path = f"/api/v1/{what}/grants"

    @app.command
    def add(
        grantee: Id,
        *,
        platform: Annotated[str, Parameter(help="Only what is for this platform.")] = "",
        only: Annotated[str, Parameter(help="Only this one, by its id; all when left out.")] = "",
        until: Annotated[datetime | None, Parameter(help="When it ends by itself, as 2026-12-24T18:00:00Z.")] = None,
        owner: Annotated[str | None, Parameter(help="Whose: for administrators.")] = None,
        common: Common = DEFAULTS,
    ) -> None:
        """Let another user's tasks use them, after that user's own. Secrets are never shown.

        Parameters
        ----------
        grantee
            The user's id.
        """
        ends = None if until is None else until.astimezone().isoformat()
        body = {"grantee_id": grantee, "platform": platform, "subject_id": only, "expires_at": ends, "owner_id": owner}
        with Client(common.url) as client:
            made = client.post(path, body)
        print_json(made) if common.json else line(f"Granted {made['id']}: {made['grantee_id']} may use them.")

    @app.command(name="list")
    def list_(*, ended: bool = False, page: int = 1, size: int = 50, common: Common = DEFAULTS) -> None:
        """List what you let others use and what they let you use.

        Parameters
        ----------
        ended
            Also what is over.
        """
        with Client(common.url) as client:
            found = client.get(path, ended=ended, page=page, size=size)
        if common.json:
            return print_json(found)
        rows = [[_cell(name, str(row[name] or "")) for name in _COLUMNS] for row in found["items"]]
        return table(f"{found['total']} grants", _COLUMNS, rows)

    @app.command
    def revoke(grant_id: Id, *, common: Common = DEFAULTS) -> None:
        """End a grant: nothing more is lent by it."""
        with Client(common.url) as client:
            client.call("DELETE", f"{path}/{grant_id}")
        print_json({"revoked": grant_id}) if common.json else line(f"Revoked grant {grant_id}.")

    return app


def _cell(name: str, value: str) -> str:
    return value[:19] if name.endswith("_at") else value
