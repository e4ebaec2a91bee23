"""`xget accounts …`"""

from __future__ import annotations

from cyclopts import App

from xget_cli.commands import grants
from xget_cli.commands.accounts import api, budget, life, login, manage

app = App(name="accounts", help="Accounts that collect.", help_format="markdown")
app.command(manage.import_, name="import")
app.command(manage.list_, name="list")
app.command(manage.status, name="status")
app.command(budget.budget, name="budget")
app.command(api.api, name="api")
app.command(manage.delete, name="delete")
app.command(login.login, name="login")
app.command(login.logins, name="logins")
app.command(
    f"{__name__}.assist:assist", name="assist", help="Log an account in yourself, in a browser on this machine."
)
app.command(life.history, name="history")
app.command(life.retire, name="retire")
app.command(life.revive, name="revive")
app.command(life.playbook, name="playbook")
app.command(life.samples, name="samples")
app.command(life.leases, name="leases")
app.command(life.lent, name="lent")
app.command(grants.grants_app("accounts"))
