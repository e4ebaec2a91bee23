"""`xget keys …`"""

from __future__ import annotations

import time
from typing import Annotated, Final

from cyclopts import App, Parameter

from xget_cli.client import Client
from xget_cli.commands.keys import pruning
from xget_cli.commands.keys.lost import lost
from xget_cli.commands.keys.shown import show, tell
from xget_cli.commands.keys.told import KEEPERS, Found, Told, each_own, say, walked
from xget_cli.errors import CliError
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json

app = App(name="keys", help="Keys that encrypt secrets: what they wrote, and new ones.")
app.command(lost)

_PASSES: Final = 5
"""Others may write with the key of before for a second after a new one came."""


@app.command
def status(*, common: Common = DEFAULTS) -> int:
    """Which keys there are, how many secrets each wrote, and which cannot be opened; exit code 1 if any cannot."""
    with Client(common.url) as client:
        told, found = Told.asked(client), walked(client, "check")
    if common.json:
        print_json({**told.json, "secrets": found.counts, "unreadable": found.unreadable})
    else:
        show(told, found)
    return 1 if found.lost else 0


@app.command
def verify(*, common: Common = DEFAULTS) -> int:
    """Open every secret once and say whether all of them were written by the newest key; exit code 1 if not."""
    with Client(common.url) as client:
        told, found = Told.asked(client), walked(client, "check")
    return tell(found, told, 0, common)


@app.command
def rotate(
    *,
    only_new_rows: Annotated[
        bool, Parameter(negative="", help="Add the key and leave what is stored to a later `rotate`.")
    ] = False,
    common: Common = DEFAULTS,
) -> int:
    """Add a new key, then write every secret anew with it while work goes on.

    One that was interrupted is finished first, without another key. Each secret is read back before its old text goes.
    Accounts and proxies are leased meanwhile. Exit code 1 when secrets are left that no key opens.
    """
    with Client(common.url) as client:
        told, found = Told.asked(client), walked(client, "check")
        if left := found.late(told.newest):
            say(f"A rotation to the key {each_own(told, told.newest.get)} is taken up again: {left} secrets are left.")
        for group in told.to_rotate(found):
            newest = str(client.post(KEEPERS[group[0]])["id"])
            told.newest.update(dict.fromkeys(group, newest))
            say(f"The key {newest} encrypts from now on{'' if len(told.groups) == 1 else f' ({group[0]})'}.")
        if only_new_rows:
            return 0
        changed, found = _rewrite(client, told)
    return tell(found, told, changed, common)


@app.command
def rewrap(*, common: Common = DEFAULTS) -> None:
    """Wrap the keys by the newest key-encryption key (XGET_KEK, XGET_KEK_FILE or Vault); secrets stay as they are."""
    with Client(common.url) as client:
        groups = Told.asked(client).groups
        done = sum(client.post(f"{KEEPERS[group[0]]}/rewrap")["rewrapped"] for group in groups)
        told = Told.asked(client)
    if common.json:
        return print_json({"rewrapped": done, **told.json})
    keys = sum(len(told.keys(group)) for group in told.groups)
    return line(f"{done} keys were wrapped by {told.by_service['account']['wraps_with']}, {keys} are.")


@app.command
def prune(*, older_than: str = "30d", yes: bool = False, common: Common = DEFAULTS) -> int:
    """Retire old keys that no stored secret needs, and drop those that were retired long ago. Shows the plan first.

    A retired key opens nothing and can be brought back (`xget keys restore`) until it is dropped: backups of tables
    from before need it.

    Parameters
    ----------
    older_than
        How long retired keys are kept: longer than your oldest backup of tables (30d, 12h, 4w).
    yes
        Do it.
    """
    kept = pruning.age(older_than)
    with Client(common.url) as client:
        return pruning.prune(client, kept, do=yes, common=common)


@app.command
def restore(key_id: str, *, common: Common = DEFAULTS) -> None:
    """Bring a retired key back: after tables were restored from a backup that needs it."""
    with Client(common.url) as client:
        pruning.restore(client, key_id)
    if common.json:
        return print_json({"restored": key_id})
    return line(f"The key {key_id} opens again what it wrote.")


def _rewrite(client: Client, told: Told) -> tuple[int, Found]:
    """Until a look at all of them finds none that is late; how many were changed, and that look."""
    changed = 0
    for again in range(_PASSES):
        time.sleep(again)
        changed += walked(client, "reencrypt").changed
        found = walked(client, "check")
        if found.late(told.newest) == 0:
            return changed, found
    raise CliError(
        "Secrets are still written with other keys: has another rotation begun? Run `xget keys rotate` again."
    )
