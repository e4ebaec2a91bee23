"""X misbehaves: the run goes on or ends with its reason, what was collected stays, and the user can read why."""

import itertools
import shutil
import time
from collections.abc import Callable
from typing import Any

import pytest

from xget_testing.node import Node, Sandbox, running_node, running_sandbox
from xget_testing.waiting import eventually

pytestmark = pytest.mark.slow

SEARCH = {"query": "AI OR 人工智能"}
PAGE = 20
AT = 3
"""The page that is hit: two are collected before it."""
Accounts = Callable[[int], list[str]]
NUMBERS = itertools.count()
"""Each account is another one to X, whose memory of limits outlives a trial."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory):
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--posts", "300") as running:
        yield running


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox):
    with running_node(tmp_path_factory.mktemp("node"), sandbox) as running:
        yield running


@pytest.fixture(scope="module")
def truth(sandbox: Sandbox) -> list[str]:
    return [str(one) for one in sandbox.truth(task_type="KEYWORD_SEARCH", **SEARCH)["matches"]]


@pytest.fixture
def accounts(node: Node, sandbox: Sandbox):
    """Makes so many fresh accounts the only ones; afterwards X behaves again."""

    def fresh(count: int) -> list[str]:
        for old in node.api("GET", "/accounts?size=100")["items"]:
            node.api("DELETE", f"/accounts/{old['id']}")
        return [node.add_account(f"a{next(NUMBERS)}x") for _ in range(count)]

    yield fresh
    sandbox.faults("")


def account(node: Node, account_id: str) -> dict[str, Any]:
    found: dict[str, Any] = node.api("GET", f"/accounts/{account_id}/status")
    return found


def check_kept(node: Node, task_id: str, expected: list[str]) -> dict[str, Any]:
    """Exactly these matches are stored, counted and certified; gives the certificate."""
    items = node.results(task_id)
    stored = [item["native_id"] for item in items if item["role"] == "match"]
    certificate = node.certificate(task_id)
    assert len(stored) == len(set(stored))
    assert set(stored) == set(expected)
    assert certificate["counts"]["matched"] == len(expected)
    assert node.api("GET", f"/tasks/{task_id}")["result_count"] == len(expected)
    assert node.api("GET", "/quarantine", params={"task": task_id})["total"] == 0
    return certificate


def check_free(node: Node, ids: list[str]) -> None:
    """No account is still leased: given back with the run, long before its lease would end by itself."""
    eventually(lambda: [account(node, one)["lease"] for one in ids] == [None] * len(ids), 30)


PASSING = {
    "loadshed": (1, "ACTIVE"),
    "malformed": (1, "ACTIVE"),
    "drop": (1, "ACTIVE"),
    "500": (1, "ACTIVE"),
    "404": (1, "ACTIVE"),
    "empty": (1, "ACTIVE"),
    "repeat-cursor": (1, "ACTIVE"),
    "slow=1": (1, "ACTIVE"),
    "429=600": (2, "RESTING"),
    "88": (2, "RESTING"),
    "226": (2, "RESTING"),
    "unknown": (2, "RESTING"),
    "html": (2, "RESTING"),
    "64": (2, "SUSPENDED"),
    "326": (2, "NEEDS_HUMAN"),
    "32": (2, "NEEDS_LOGIN"),
    "403": (2, "NEEDS_LOGIN"),
}
"""How many accounts it takes to go on as if nothing had been, and what the one that was hit is afterwards."""


@pytest.mark.parametrize("fault", PASSING)
def test_the_run_goes_on_and_misses_nothing(
    node: Node, sandbox: Sandbox, accounts: Accounts, truth: list[str], fault: str
) -> None:
    count, state = PASSING[fault]
    ids = accounts(count)
    sandbox.faults(f"{fault}@{AT}")
    task_id = node.create("KEYWORD_SEARCH", SEARCH)
    task = node.wait_for(task_id)
    assert task["status"] == "COMPLETED", task["error_message"]
    certificate = check_kept(node, task_id, truth)
    assert (certificate["end_reason"], certificate["complete"]) == ("exhausted", True)
    assert certificate["requests"] >= certificate["pages"]
    states = sorted(account(node, one)["state"] for one in ids)
    assert states == sorted([state, *["ACTIVE"] * (count - 1)])
    check_free(node, ids)


def test_an_expired_account_logs_in_again_while_the_same_run_goes_on_with_another(
    node: Node, sandbox: Sandbox, accounts: Accounts, truth: list[str]
) -> None:
    accounts(0)
    names = [f"person{next(NUMBERS)}" for _ in range(2)]
    sandbox.register(*({"username": name, "password": "right"} for name in names))
    cookies = [{"auth_token": f"{name}{'a' * 40}"[:40], "ct0": "c" * 32} for name in names]
    given = [{"username": name, "password": "right", "cookies": one} for name, one in zip(names, cookies, strict=True)]
    ids = [node.api("POST", "/accounts", json=body | {"login_method": "TWITTER"})["id"] for body in given]
    sandbox.faults(f"expire@{AT}")
    task_id = node.create("KEYWORD_SEARCH", SEARCH)
    task = node.wait_for(task_id)
    assert task["status"] == "COMPLETED", task["error_message"]
    assert sorted(check_kept(node, task_id, truth)["accounts"]) == sorted(ids)
    eventually(lambda: all(account(node, one)["state"] == "ACTIVE" for one in ids))
    histories = [node.api("GET", f"/accounts/{one}/history")["items"] for one in ids]
    moves = next([(m["to_state"], m["by"]) for m in reversed(found)] for found in histories if len(found) > 1)
    assert moves == [("ACTIVE", "playbook"), ("NEEDS_LOGIN", "playbook"), ("ACTIVE", "login")]
    tries = [one for found in ids for one in node.api("GET", f"/accounts/{found}/logins")["items"]]
    how = "Logged in with a browser." if shutil.which("chromium") else "Logged in with its password."
    assert [(one["outcome"], one["asked_by"], one["sentence"]) for one in tries] == [("logged_in", "worker", how)]
    for other in {*ids} - {tries[0]["account_id"]}:
        node.api("DELETE", f"/accounts/{other}")
    again = node.create("KEYWORD_SEARCH", SEARCH)
    assert node.wait_for(again)["status"] == "COMPLETED", "the new session works, where the old one is refused for good"
    assert check_kept(node, again, truth)["accounts"] == [tries[0]["account_id"]]


ENDING = {
    "64": ("no_account", "SUSPENDED", "1 suspended"),
    "326": ("no_account", "NEEDS_HUMAN", "1 locked until a person helps"),
    "32": ("no_account", "NEEDS_LOGIN", "1 without valid cookies"),
    "403": ("no_account", "NEEDS_LOGIN", "1 without valid cookies"),
    "html": ("blocked", "RESTING", "a page of its own"),
}
"""The end with one account: reason, what the account is afterwards, and words of the sentence."""


@pytest.mark.parametrize("fault", ENDING)
def test_with_one_account_the_end_says_why_and_keeps_what_was_collected(
    node: Node, sandbox: Sandbox, accounts: Accounts, truth: list[str], fault: str
) -> None:
    reason, state, words = ENDING[fault]
    ids = accounts(1)
    sandbox.faults(f"{fault}@{AT}")
    task_id = node.create("KEYWORD_SEARCH", SEARCH)
    task = node.wait_for(task_id)
    assert task["status"] == "FAILED"
    assert words in task["error_message"]
    certificate = check_kept(node, task_id, truth[: PAGE * (AT - 1)])
    assert (certificate["end_reason"], certificate["complete"]) == (reason, False)
    assert certificate["sentence"] == task["error_message"]
    found = account(node, ids[0])
    assert found["state"] == state
    assert found["usable"] is (state == "ACTIVE")
    assert found["sentence"]
    assert found["last_report"]["operation"] == "SearchTimeline"
    check_free(node, ids)


@pytest.mark.parametrize("fault", ["64", "32"])
def test_fresh_cookies_and_another_start_bring_the_rest(
    node: Node, sandbox: Sandbox, accounts: Accounts, truth: list[str], fault: str
) -> None:
    (one,) = accounts(1)
    sandbox.faults(f"{fault}@{AT}")
    task_id = node.create("KEYWORD_SEARCH", SEARCH)
    node.wait_for(task_id)
    assert account(node, one)["usable"] is False
    node.api("PUT", f"/accounts/{one}", json={"cookies": f"auth_token={'f' * 40}; ct0={'d' * 32}"})
    assert account(node, one)["usable"] is True
    node.api("POST", f"/tasks/{task_id}/start")
    assert node.wait_for(task_id)["status"] == "COMPLETED"
    check_kept(node, task_id, truth)


@pytest.mark.parametrize("fault", ["429=600", "88"])
def test_without_room_it_waits_says_until_when_and_can_be_stopped(
    node: Node, sandbox: Sandbox, accounts: Accounts, truth: list[str], fault: str
) -> None:
    (one,) = accounts(1)
    sandbox.faults(f"{fault}@{AT}")
    task_id = node.create("KEYWORD_SEARCH", SEARCH)
    eventually(lambda: "resumes" in (node.api("GET", f"/tasks/{task_id}")["message"] or ""))
    status = node.api("GET", f"/tasks/{task_id}/status")
    assert status["status"] == "RUNNING"
    assert status["execution"]["resume_at"]
    assert "1 healthy accounts" in status["message"] or "account" in status["message"]
    found = account(node, one)
    assert found["state"] == "RESTING"
    assert "SearchTimeline until" in found["sentence"]
    node.api("POST", f"/tasks/{task_id}/stop")
    task = node.wait_for(task_id)
    assert task["status"] == "STOPPED"
    certificate = check_kept(node, task_id, truth[: PAGE * (AT - 1)])
    assert certificate["end_reason"] == "cancelled"
    check_free(node, [one])


def test_a_timeline_that_gives_cursors_without_posts_ends_as_incomplete(
    node: Node, sandbox: Sandbox, accounts: Accounts, truth: list[str]
) -> None:
    ids = accounts(1)
    sandbox.faults(",".join(f"empty@{n}" for n in range(AT, AT + 40)))
    task_id = node.create("KEYWORD_SEARCH", SEARCH)
    task = node.wait_for(task_id)
    assert task["status"] == "COMPLETED"
    assert "may be more" in task["message"]
    certificate = check_kept(node, task_id, truth[: PAGE * (AT - 1)])
    assert (certificate["end_reason"], certificate["complete"]) == ("stalled", False)
    gaps = node.api("GET", f"/task-executions/{task['execution_id']}/gaps")
    assert [gap["since"] for gap in gaps["items"]] == [None]
    assert account(node, ids[0])["state"] == "ACTIVE"
    sandbox.faults("")
    node.api("POST", f"/tasks/{task_id}/backfill")
    node.wait_for(task_id)
    assert node.certificate(task_id)["complete"] is True
    assert {item["native_id"] for item in node.results(task_id) if item["role"] == "match"} == set(truth)


def test_a_timeline_that_goes_round_in_circles_is_read_in_windows(
    node: Node, sandbox: Sandbox, accounts: Accounts, truth: list[str]
) -> None:
    ids = accounts(1)
    sandbox.faults(",".join(f"repeat-cursor@{n}" for n in range(AT, AT + 4)))
    task_id = node.create("KEYWORD_SEARCH", SEARCH)
    assert node.wait_for(task_id)["status"] == "COMPLETED"
    certificate = check_kept(node, task_id, truth)
    assert (certificate["end_reason"], certificate["complete"]) == ("exhausted", True)
    assert certificate["windows"] > 2
    assert account(node, ids[0])["state"] == "ACTIVE"


def told(node: Node, task_id: str, words: str) -> bool:
    """Whether a task says so before it has ended."""
    while True:
        task = node.api("GET", f"/tasks/{task_id}")
        if words in (task["message"] or ""):
            return True
        if task["status"] in {"COMPLETED", "FAILED", "STOPPED"}:
            return False
        time.sleep(0.05)


LASTING = {"loadshed": 4, "malformed": 4, "drop": 2}
"""How often in a row; a third broken connection would send the only proxy into its pause of a minute."""


@pytest.mark.parametrize("kind", LASTING)
def test_what_lasts_is_tried_again_with_pauses_and_the_user_reads_so(
    node: Node, sandbox: Sandbox, accounts: Accounts, truth: list[str], kind: str
) -> None:
    for _ in range(5):  # it stands there for the length of a pause: who is held up just then looks once more
        ids = accounts(1)
        sandbox.faults(",".join(f"{kind}@{n}" for n in range(AT, AT + LASTING[kind])))
        task_id = node.create("KEYWORD_SEARCH", SEARCH)
        if told(node, task_id, "of 6 follows"):
            break
    else:
        pytest.fail("nobody was told of another try")
    task = node.wait_for(task_id)
    assert task["status"] == "COMPLETED", task["error_message"]
    certificate = check_kept(node, task_id, truth)
    assert certificate["complete"] is True
    assert certificate["retries"] >= 1
    assert account(node, ids[0])["state"] == "ACTIVE"
    check_free(node, ids)


@pytest.mark.parametrize("fault", ["drop", "malformed", "429=600", "32"])
def test_a_fault_at_the_look_up_of_a_name_is_survived_too(
    node: Node, sandbox: Sandbox, accounts: Accounts, fault: str
) -> None:
    accounts(2)
    sandbox.faults(f"{fault}:UserByScreenName@1")
    task_id = node.create("USER_TWEETS", {"username": "elonmusk", "limit": 20})
    task = node.wait_for(task_id)
    assert (task["status"], task["result_count"]) == ("COMPLETED", 20), task["error_message"]


@pytest.mark.parametrize(
    ("task_type", "parameters", "words", "reason"),
    [
        ("USER_TWEETS", {"username": "nobody_of_this_name"}, "nobody_of_this_name", "not_found"),
        ("USER_INFO", {"username": "suspended_acct"}, "suspended", "suspended"),
        ("USER_TWEETS", {"username": "protected_acct"}, "protected", "protected"),
        ("USER_FOLLOWERS", {"user_id": "999999999999"}, "999999999999", "not_found"),
    ],
)
def test_what_x_does_not_show_ends_with_a_sentence_about_it(
    *, node: Node, accounts: Accounts, task_type: str, parameters: dict[str, Any], words: str, reason: str
) -> None:
    ids = accounts(1)
    task = node.wait_for(node.create(task_type, parameters))
    assert task["status"] == "FAILED"
    assert words in task["error_message"]
    assert node.certificate(task["id"])["end_reason"] == reason
    assert account(node, ids[0])["state"] == "ACTIVE"


def test_no_account_at_all_names_the_way_to_one(node: Node, accounts: Accounts) -> None:
    accounts(0)
    task = node.wait_for(node.create("KEYWORD_SEARCH", SEARCH))
    assert task["status"] == "FAILED"
    assert "xget accounts import" in task["error_message"]
    assert node.certificate(task["id"])["end_reason"] == "no_account"


def test_many_faults_at_random_lose_nothing(node: Node, sandbox: Sandbox, accounts: Accounts, truth: list[str]) -> None:
    ids = accounts(4)
    sandbox.faults("drop%0.1,malformed%0.1,empty%0.1,repeat-cursor%0.1,loadshed%0.1,slow=0.2%0.1,500%0.05")
    tasks = [node.create("KEYWORD_SEARCH", SEARCH) for _ in range(3)]
    for task_id in tasks:
        task = node.wait_for(task_id, 600)
        assert task["status"] == "COMPLETED", task["error_message"]
        certificate = check_kept(node, task_id, truth)
        assert certificate["complete"] is True, certificate
    check_free(node, ids)
    assert "Traceback" not in (node.folder / "node.log").read_text()
