"""Entry point of `xget`: names the commands, loads the one that runs, prints errors as one line."""

from __future__ import annotations

import sys

from cyclopts import App, CycloptsError, Group

from xget_cli import __version__
from xget_cli.errors import CliError

RUN = Group("Run XGet", sort_key=1)
USE = Group("Use XGet", sort_key=2)
MORE = Group("Shell", sort_key=3)


def build() -> App:
    """The command tree; modules behind it are imported only when their command runs."""
    app = App(
        name="xget",
        help="Collect, search and export social media on your own machine.",
        version=__version__,
        default_parameter=None,
        help_format="plaintext",  # markdown makes `xget --help` a fifth slower; commands that need it say so
    )
    commands = "xget_cli.commands"
    app.command(f"{commands}.up:up", name="up", help="Run gateway, services and workers in one process.", group=RUN)
    app.command(f"{commands}.single:serve", name="serve", help="Run one service, or the gateway.", group=RUN)
    app.command(f"{commands}.single:worker", name="worker", help="Run the worker of one service.", group=RUN)
    app.command(f"{commands}.cluster:cluster", name="cluster", help="Run one process per service.", group=RUN)
    app.command(f"{commands}.migrate:migrate_data", name="migrate-data", help="Move a node into engines.", group=RUN)
    app.command(f"{commands}.doctor:doctor", name="doctor", help="Say what is wrong and what to do.", group=RUN)
    app.command(f"{commands}.sandbox:sandbox", name="sandbox", help="Run an offline X to try things on.", group=RUN)
    app.command(f"{commands}.gateway:app", name="gateway", help="The gateway's configuration.", group=RUN)
    app.command(f"{commands}.events:app", name="events", help="Dead letters: list them, send them again.", group=RUN)
    app.command(f"{commands}.keys:app", name="keys", help="Keys that encrypt secrets.", group=RUN)
    app.command(f"{commands}.login:login", name="login", help="Log in (or register) and keep the session.", group=USE)
    app.command(f"{commands}.login:whoami", name="whoami", help="Who is logged in: name, id, roles.", group=USE)
    app.command(f"{commands}.login:logout", name="logout", help="End the session.", group=USE)
    app.command(f"{commands}.accounts:app", name="accounts", help="Accounts that collect.", group=USE)
    app.command(f"{commands}.proxies:app", name="proxies", help="Proxies that accounts use.", group=USE)
    app.command(f"{commands}.audit:audit", name="audit", help="Who did, changed or saw what.", group=USE)
    app.command(f"{commands}.tasks:app", name="tasks", help="What to collect, and how it goes.", group=USE)
    app.command(f"{commands}.search:app", name="search", help="Search what is stored.", group=USE)
    app.command(f"{commands}.authors:app", name="authors", help="Who wrote what is stored; takedowns.", group=USE)
    app.command(f"{commands}.data:app", name="data", help="Single items: history, raw record.", group=USE)
    app.command(f"{commands}.export:export", name="export", help="Write a task's results to a file.", group=USE)
    app.command(f"{commands}.quarantine:app", name="quarantine", help="Records that did not parse.", group=USE)
    app.command(f"{commands}.parsers:app", name="parsers", help="What reads the pages.", group=USE)
    app.register_install_completion_command(group=MORE)
    return app


def main() -> None:
    """Run the command line; exit 0, 1 for an outcome that is no success, 2 for an error with its fix."""
    app = build()
    try:
        result = app(exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        sys.exit(_fail(_one_line(str(error)) + " See `xget --help`.", {}))
    except CliError as error:
        sys.exit(_fail(error.message, error.problem))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    sys.exit(result if isinstance(result, int) else 0)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _fail(message: str, problem: dict[str, object]) -> int:
    if "--json" in sys.argv:
        import json  # noqa: PLC0415 - only needed on this path; start time counts

        answer = {"error": message, **({"problem": problem} if problem else {})}
        print(json.dumps(answer, ensure_ascii=False))  # noqa: T201 - a command line speaks by printing
    else:
        print(f"xget: {message}", file=sys.stderr)  # noqa: T201 - a command line speaks by printing
    return 2
