"""`xget accounts grants …` and `xget proxies grants …`"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from cyclopts import App, Parameter

from xget_cli.client import Client
from xget_cli.options import DEFAULTS, Common, Id
from xget_cli.output import line, print_json, table
from xget_cli.people import names, user_id
from xget_cli.subjects import Which, account_id, proxy_id

_COLUMNS = ["id", "owner", "owner_id", "grantee", "grantee_id", "platform", "subject_id", "granted_at", "expires_at"]


def grants_app(what: str) -> App:
    """The commands about grants of accounts or proxies."""
    app = App(name="grants", help=f"Let others use your {what}.", help_format="markdown")
    path = f"/api/v1/{what}/grants"

    def subject(client: Client, name: str, platform: str) -> str:
        return proxy_id(client, name) if what == "proxies" else account_id(client, name, Which(platform or None))

    @app.command
    def add(
        grantee: str,
        *,
        platform: Annotated[str, Parameter(help="Only what is for this platform.")] = "",
        only: Annotated[str, Parameter(help="Only this one, by name or id; all when left out.")] = "",
        until: Annotated[datetime | None, Parameter(help="When it ends by itself, as 2026-12-24T18:00:00Z.")] = None,
        owner: Annotated[str | None, Parameter(help="Whose, by name or id: for administrators.")] = None,
        common: Common = DEFAULTS,
    ) -> None:
        """Let another user's tasks use them, after that user's own. Secrets are never shown.

        Parameters
        ----------
        grantee
            The user's name or id.
        """
        ends = None if until is None else until.astimezone().isoformat()
        with Client(common.url) as client:
            body = {"platform": platform, "subject_id": only and subject(client, only, platform), "expires_at": ends}
            who = {"grantee_id": user_id(client, grantee), "owner_id": user_id(client, owner) if owner else None}
            made = client.post(path, body | who)
            told = names(client, [made["grantee_id"]]).get(made["grantee_id"], made["grantee_id"])
        print_json(made) if common.json else line(f"Granted {made['id']}: {told} may use them.")

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
            known = names(client, [row[name] for row in found["items"] for name in ("owner_id", "grantee_id")])
        columns = [*_COLUMNS, "revoked_at"] if ended else _COLUMNS
        rows = [[_cell(name, row, known) for name in columns] for row in found["items"]]
        return table(f"{found['total']} grants", columns, rows)

    @app.command
    def revoke(grant_id: Id, *, common: Common = DEFAULTS) -> None:
        """End a grant: nothing more is lent by it."""
        with Client(common.url) as client:
            client.call("DELETE", f"{path}/{grant_id}")
        print_json({"revoked": grant_id}) if common.json else line(f"Revoked grant {grant_id}.")

    return app


def _cell(name: str, row: dict[str, Any], known: dict[str, str]) -> str:
    if name in {"owner", "grantee"}:
        return known.get(row[f"{name}_id"], "")
    value = str(row[name] or "")
    return value[:19] if name.endswith("_at") else value
