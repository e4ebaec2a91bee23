"""What became of accounts, what answers mean, and answers that nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from xget_cli.client import Client
from xget_cli.errors import CliError
from xget_cli.files import InputFile, read_text
from xget_cli.options import DEFAULTS, Common
from xget_cli.output import line, print_json, table
from xget_cli.people import names
from xget_cli.subjects import ANY, Account, Which, account_path


def history(account: Account, *, page: int = 1, size: int = 50, which: Which = ANY, common: Common = DEFAULTS) -> None:
    """List from which state an account came into which, why and by whom; newest first."""
    with Client(common.url) as client:
        found = client.get(f"{account_path(client, account, which)}/history", page=page, size=size)
    if common.json:
        return print_json(found)
    columns = ["at", "from_state", "to_state", "by", "rule", "playbook", "next_step", "reason"]
    return table(f"{found['total']} moves", columns, [[one[c] for c in columns] for one in found["items"]])


def retire(account: Account, *, reason: str = "", which: Which = ANY, common: Common = DEFAULTS) -> None:
    """Take an account out of use until somebody revives it; its secrets stay.

    Parameters
    ----------
    reason
        Is shown in its history.
    """
    _move("retire", (account, which), reason, common)


def revive(account: Account, *, reason: str = "", which: Which = ANY, common: Common = DEFAULTS) -> None:
    """Take a retired account into use again.

    Parameters
    ----------
    reason
        Is shown in its history.
    """
    _move("revive", (account, which), reason, common)


def leases(account: Account, *, page: int = 1, size: int = 50, which: Which = ANY, common: Common = DEFAULTS) -> None:
    """List whose runs used an account for which operation, when and how often; the latest first."""
    with Client(common.url) as client:
        found = client.get(f"{account_path(client, account, which)}/leases", page=page, size=size)
        if common.json:
            return print_json(found)
        known = names(client, [one["requester_id"] for one in found["items"]])
    columns = ["last_at", "first_at", "times", "operation", "holder", "requester", "requester_id"]
    rows = [one | {"requester": _whose(one["requester_id"], known)} for one in found["items"]]
    told = [[one[c] for c in columns] for one in rows]
    return table(f"{found['total']} uses", columns, told, spare=("requester_id", "first_at"))


def _whose(requester_id: str, known: Mapping[str, str]) -> str:
    return known.get(requester_id, "") if requester_id else "its owner"


def lent(*, page: int = 1, size: int = 50, common: Common = DEFAULTS) -> None:
    """List accounts of others that your tasks may use."""
    with Client(common.url) as client:
        found = client.get("/api/v1/accounts/lent", page=page, size=size)
        if common.json:
            return print_json(found)
        known = names(client, [one["owner_id"] for one in found["items"]])
    columns = ["account_id", "owner", "owner_id", "platform", "username", "state", "budget_left", "daily_budget"]
    rows = [one | {"owner": known.get(one["owner_id"], "")} for one in found["items"]]
    told = [[one[c] for c in columns] for one in rows]
    return table(f"{found['total']} accounts", columns, told, spare=("owner_id", "account_id"))


def samples(*, page: int = 1, size: int = 50, common: Common = DEFAULTS) -> None:
    """List answers that no rule of the playbook knows: names and types of the body, no values."""
    with Client(common.url) as client:
        found = client.get("/api/v1/accounts/samples", page=page, size=size)
    if common.json:
        return print_json(found)
    columns = ["at", "operation", "status", "body_kind", "account_id"]
    rows = [[*(one[c] for c in columns), *_answer(one["answer"])] for one in found["items"]]
    return table(f"{found['total']} samples", [*columns, "codes", "message", "outline"], rows)


def playbook(
    *,
    check: Annotated[InputFile | None, Parameter(help="Look at this file instead: nothing comes into force.")] = None,
    offline: Annotated[bool, Parameter(help="Let this installation look at the file: no service is asked.")] = False,
    common: Common = DEFAULTS,
) -> None:
    """Show what each answer of the platform means for the account that got it: the first rule that fits decides."""
    if offline:
        found = _read_here(check)
    else:
        with Client(common.url) as client:
            if check is None:
                found = client.get("/api/v1/accounts/playbook")
            else:
                body = {"text": read_text(check), "name": check.name}
                found = client.post("/api/v1/accounts/playbook/check", body)
    if common.json:
        return print_json(found)
    rows = [_rule(number, rule) for number, rule in enumerate(found["rules"], 1)]
    rows.append(_rule("", found["otherwise"]))
    columns = ["no", "rule", "when", "action", "rest", "state"]
    since = f", in force since {found['since'][:16].replace('T', ' ')} UTC" if found["since"] else ""
    table(f"{found['name']}, revision {found['revision']}, {found['source']}{since}", columns, rows, spare=("no",))
    if found["note"]:
        line(f"Note: {found['note']}")
    if found["trouble"]:
        line(f"The file as it is now is not in force: {found['trouble']}")
    return None


def _read_here(check: InputFile | None) -> dict[str, Any]:
    """The file, or the packaged playbook, as the service would show it. Raises CliError with the line and the rule."""
    from xget_account.service.playbook import BadPlaybook, packaged, parse, shown  # noqa: PLC0415 - start time counts

    try:
        playbook = packaged() if check is None else parse(read_text(check), check.name)
    except BadPlaybook as error:
        raise CliError(str(error)) from None
    return shown(playbook).model_dump(mode="json")


def _move(verb: str, whom: tuple[str, Which], reason: str, common: Common) -> None:
    with Client(common.url) as client:
        found = client.post(f"{account_path(client, *whom)}/{verb}", {"reason": reason})
    print_json(found) if common.json else line(f"{found['state']}: {found['sentence']}")


def _answer(answer: Mapping[str, Any]) -> list[str]:
    return [", ".join(map(str, answer["error_codes"])), answer["message"], answer["outline"]]


def _rule(number: object, rule: Mapping[str, Any]) -> list[Any]:
    shown = "; ".join(
        f"{name} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in rule["when"].items()
    )
    rest = "" if rule["rest_seconds"] is None else f"{rule['rest_seconds']} s" + (", all" if rule["all"] else "")
    if rule["until_month"]:
        rest = "until the next month" + (", all" if rule["all"] else "")
    until = "until reset, else " if rule["until_reset"] else ""
    by = f"{rule['route']}: " if rule["route"] != "x_session" else ""
    return [number, rule["name"], by + (shown or "anything else"), rule["action"], until + rest, rule["state"] or ""]
