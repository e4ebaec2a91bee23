"""`xget tasks …`"""

from __future__ import annotations

from cyclopts import App

from xget_cli.commands.tasks import manage, missing
from xget_cli.commands.tasks.watch import watch

app = App(name="tasks", help="What to collect, and how it goes.")
app.command(f"{__name__}.create:app", name="create", help="Create a task of one of X's types.")
app.command(f"{__name__}.preview:app", name="preview", help="Show what a task would ask and how much it takes.")
app.command(manage.list_, name="list")
app.command(manage.show, name="show")
app.command(manage.start, name="start")
app.command(manage.stop, name="stop")
app.command(manage.delete, name="delete")
app.command(manage.results, name="results")
app.command(manage.certificate, name="certificate")
app.command(watch, name="watch")
app.command(missing.targets, name="targets")
app.command(missing.gaps, name="gaps")
app.command(missing.backfill, name="backfill")
