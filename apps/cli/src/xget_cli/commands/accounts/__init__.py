"""`xget accounts …`"""

from __future__ import annotations

from cyclopts import App

from xget_cli.commands.accounts import manage

app = App(name="accounts", help="Accounts that collect.", help_format="markdown")
app.command(manage.import_, name="import")
app.command(manage.list_, name="list")
app.command(manage.status, name="status")
app.command(manage.delete, name="delete")
