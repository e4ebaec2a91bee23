"""Accounts log in by themselves, against the sandbox."""

from __future__ import annotations

import asyncio

import pytest

from xget.account.v1 import account_pool_pb2 as pb
from xget_account.adapters.login.twscrape import TwscrapeFlow
from xget_account.adapters.login.ways import Ways
from xget_account.ports import Credentials, LoginResult, OnStep
from xget_testing.logins import ALICE, Dying, alice, last, make_runner, sandbox

__all__ = ["alice", "make_runner", "sandbox"]


async def test_an_account_with_a_password_is_logged_in_once_and_can_work(client, alice, make_runner, sandbox) -> None:
    asked = await client.post(f"/api/v1/accounts/{alice}/login")
    assert (asked.status_code, asked.json()["outcome"]) == (202, None)
    again = await client.post(f"/api/v1/accounts/{alice}/login")
    assert (again.status_code, again.json()["type"]) == (409, "urn:xget:error:login_under_way")
    assert await make_runner().run() == 1
    status = (await client.get(f"/api/v1/accounts/{alice}/status")).json()
    assert (status["state"], status["usable"]) == ("ACTIVE", True)
    done = await last(client, alice)
    assert (done["outcome"], done["asked_by"]) == ("logged_in", "ada")
    assert sandbox.people.told()["accounts"][0]["logins"] == 1
    assert await make_runner().run() == 0


async def test_a_person_gets_a_ticket_that_is_good_once_and_keeps_his_session(client, alice, make_runner) -> None:
    begun = await client.post(f"/api/v1/accounts/{alice}/assist")
    ticket = begun.json()
    assert (begun.status_code, begun.headers["cache-control"], ticket["browser_state"]) == (201, "no-store", None)
    assert "correct horse" not in begun.text
    assert (await client.post(f"/api/v1/accounts/{alice}/login")).status_code == 409
    assert await make_runner().run() == 0
    path = f"/api/v1/accounts/{alice}/assist/{ticket['attempt_id']}"
    cookies = [{"name": name, "value": "v" * 40, "domain": ".x.com", "path": "/"} for name in ("auth_token", "ct0")]
    state = {"cookies": cookies, "origins": []}
    forged = await client.post(path, json={"ticket": "forged", "browser_state": state})
    assert (forged.status_code, forged.json()["type"]) == (409, "urn:xget:error:ticket_void")
    ended = await client.post(path, json={"ticket": ticket["ticket"], "browser_state": state})
    assert (ended.status_code, ended.json()["outcome"], ended.json()["asked_by"]) == (200, "logged_in", "ada")
    assert (await client.get(f"/api/v1/accounts/{alice}/status")).json()["state"] == "ACTIVE"
    assert (await client.post(path, json={"ticket": ticket["ticket"]})).status_code == 409


async def test_a_ticket_is_renewed_while_the_browser_is_open_half_an_hour_at_most(
    client, alice, make_runner, clock, tokens
) -> None:  # fmt: skip
    ticket = (await client.post(f"/api/v1/accounts/{alice}/assist")).json()
    path = f"/api/v1/accounts/{alice}/assist/{ticket['attempt_id']}"
    assert (await client.post(f"{path}/renew", json={"ticket": "forged"})).status_code == 409
    for _ in range(29):
        clock.advance(59)
        client.headers["Authorization"] = f"Bearer {tokens.make('ada', ['operator'])}"
        renewed = await client.post(f"{path}/renew", json={"ticket": ticket["ticket"]})
        assert (renewed.status_code, renewed.json()["ends_at"]) == (200, ticket["ends_at"])
        assert await make_runner().run() == 0
    status = (await client.get(f"/api/v1/accounts/{alice}/status")).json()
    assert (status["login"]["phase"], status["login"]["method"], status["next_step"]) == ("assisted", "assist", "wait")
    assert "ada logs it in by hand" in status["sentence"]
    for _ in range(2):
        clock.advance(40)
        renewed = await client.post(f"{path}/renew", json={"ticket": ticket["ticket"]})
    assert (renewed.status_code, renewed.json()["expires_at"]) == (200, ticket["ends_at"])


async def test_who_is_gone_is_shut_out_after_a_minute_even_where_no_worker_runs(
    client, alice, make_runner, clock
) -> None:  # fmt: skip

    gone = (await client.post(f"/api/v1/accounts/{alice}/assist")).json()
    assert (await client.post(f"/api/v1/accounts/{alice}/assist")).status_code == 409
    clock.advance(61)
    status = (await client.get(f"/api/v1/accounts/{alice}/status")).json()
    assert (status["login"]["phase"], status["sentence"][:9]) == ("waiting", "Whoever l")
    another = await client.post(f"/api/v1/accounts/{alice}/assist")
    assert another.status_code == 201
    for path, ticket in ((f"{gone['attempt_id']}/renew", gone), (another.json()["attempt_id"], gone)):
        late = await client.post(f"/api/v1/accounts/{alice}/assist/{path}", json={"ticket": ticket["ticket"]})
        assert (late.status_code, late.json()["type"]) == (409, "urn:xget:error:ticket_void")
    tries = (await client.get(f"/api/v1/accounts/{alice}/logins")).json()["items"]
    assert [one["outcome"] for one in tries] == [None, "given_up"]


async def test_a_person_who_does_not_come_back_blocks_nobody(client, alice, make_runner, clock) -> None:
    await client.post(f"/api/v1/accounts/{alice}/assist")
    clock.advance(61)
    await make_runner().run()
    assert (await last(client, alice))["outcome"] == "given_up"
    assert (await client.get(f"/api/v1/accounts/{alice}/status")).json()["state"] == "NEEDS_HUMAN"


@pytest.mark.parametrize(
    "case",
    [
        ({"totp": "JBSWY3DPEHPK3PXP"}, {"totp": "jbsw y3dp ehpk 3pxp"}, "logged_in", "ACTIVE"),
        ({}, {"password": "other"}, "wrong_password", "NEEDS_LOGIN"),
        ({}, {"totp": "JBSWY3DPEHPK3PXP"}, "wrong_totp", "NEEDS_LOGIN"),
        ({}, {"totp": None}, "missing_secret", "NEEDS_LOGIN"),
        ({"challenge": "captcha"}, {}, "challenge", "NEEDS_HUMAN"),
        ({"challenge": "strange"}, {}, "unknown_step", "NEEDS_HUMAN"),
        ({"challenge": "denied", "totp": ""}, {}, "denied", "NEEDS_HUMAN"),
        ({"challenge": "suspended"}, {}, "suspended", "SUSPENDED"),
    ],
)
async def test_every_end_has_its_word_and_state_and_is_tried_once(
    client, add_account, make_runner, sandbox, case
) -> None:
    person, given, outcome, state = case
    sandbox.people.register({**ALICE, **person})
    account = (await add_account(**{**ALICE, "cookies": None, **given}))["id"]
    assert await make_runner().run() == 1
    done = await last(client, account)
    assert (done["outcome"], done["asked_by"], done["sentence"][-1]) == (outcome, "worker", ".")
    assert (await client.get(f"/api/v1/accounts/{account}/status")).json()["state"] == state
    assert await make_runner().run() == 0
    assert sandbox.people.told()["accounts"][0]["wrong"] <= 1


async def test_a_refused_password_is_not_tried_again_until_it_changes(client, add_account, make_runner, clock) -> None:
    account = (await add_account(**{**ALICE, "cookies": None, "password": "other"}))["id"]
    path = f"/api/v1/accounts/{account}"
    assert await make_runner().run() == 1
    clock.advance(600)
    assert (await client.put(path, json={"daily_budget": 10})).status_code == 200
    assert await make_runner().run() == 0
    assert (await client.put(path, json={"password": ALICE["password"]})).status_code == 200
    assert await make_runner().run() == 1
    assert (await client.get(f"{path}/status")).json()["state"] == "ACTIVE"


async def test_a_dead_proxy_is_tried_again_after_pauses_that_grow_up_to_the_cap(
    client, alice, make_runner, clock, tokens
) -> None:
    runner, tried = make_runner(proxy="http://127.0.0.1:9", daily_cap=3), []
    for minute in range(60):
        if await runner.run():
            tried.append(minute)
        clock.advance(60)
    assert tried == [0, 1, 6]
    client.headers["Authorization"] = f"Bearer {tokens.make('ada', ['operator'])}"
    done = await last(client, alice)
    assert (done["outcome"], done["sentence"]) == (
        "network", "X cannot be reached through its proxy (api.x.com): look at the proxy."
    )  # fmt: skip


@pytest.mark.parametrize("totp", ["123456", "not base32!", "JBSW"])
async def test_a_totp_secret_that_is_none_is_refused_at_once(client, totp: str) -> None:
    created = await client.post("/api/v1/accounts", json={"username": "zoe", "totp": totp})
    assert (created.status_code, created.json()["errors"][0]["field"]) == (422, "totp")
    text = f"username,password,totp\nzoe,pw,{totp}\n"
    line = (await client.post("/api/v1/accounts/import", json={"text": text})).json()["lines"][0]
    assert (line["outcome"], "TOTP secret" in line["reason"]) == ("refused", True)
    assert totp not in created.text


async def test_an_expired_session_is_renewed_and_the_account_works_again(
    client, alice, make_runner, sandbox, pool
) -> None:  # fmt: skip
    await make_runner().run()
    wish = {"owner_id": "ada", "platform": "x", "operation": "SearchTimeline", "ttl_seconds": 60}
    lease = (await pool.Acquire(pb.AcquireRequest(**wish, holder="one"))).lease
    sandbox.people.expire()
    token = {"lease_id": lease.lease_id, "fencing_token": lease.fencing_token}
    await pool.Report(pb.ReportRequest(**token, operation="SearchTimeline", status=401, error_codes=[32]))
    await pool.Release(pb.ReleaseRequest(**token))
    assert (await client.get(f"/api/v1/accounts/{alice}/status")).json()["state"] == "NEEDS_LOGIN"
    assert await make_runner().run() == 1
    fresh = (await pool.Acquire(pb.AcquireRequest(**wish, holder="two"))).lease
    assert fresh.cookies["auth_token"] in sandbox.people.sessions
    assert fresh.cookies["auth_token"] != lease.cookies["auth_token"]


async def test_a_dead_workers_login_is_begun_anew_and_its_late_result_is_thrown_away(
    client, alice, make_runner, clock, sandbox
) -> None:  # fmt: skip
    dying = Dying()
    late = asyncio.create_task(make_runner(flow=lambda *_: dying).run())
    await dying.begun.wait()
    assert await make_runner().run() == 0, "nobody logs in while another does"
    clock.advance(31)
    assert await make_runner().run() == 1
    assert sandbox.people.told()["accounts"][0]["logins"] == 1
    dying.gate.set()
    await late
    done = await last(client, alice)
    assert (done["outcome"], done["sentence"]) == ("logged_in", "Logged in with its password.")
    assert len((await client.get(f"/api/v1/accounts/{alice}/logins")).json()["items"]) == 1


async def test_the_status_tells_of_a_login_that_waits_and_of_each_step_of_one_that_runs(
    client, alice, make_runner, clock
) -> None:  # fmt: skip
    path = f"/api/v1/accounts/{alice}/status"

    class Looking(Dying):
        async def log_in(self, given: Credentials, on_step: OnStep) -> LoginResult:
            await on_step("no such step")
            await on_step("password")
            return await super().log_in(given, on_step)

    assert (await client.get(path)).json()["login"] is None
    await client.post(f"/api/v1/accounts/{alice}/login", json={"method": "flow"})
    waiting = (await client.get(path)).json()
    assert (waiting["login"]["phase"], waiting["login"]["asked_by"], waiting["next_step"]) == ("waiting", "ada", "wait")
    clock.advance(61)
    assert "no worker takes it" in (await client.get(path)).json()["sentence"]
    looking = Looking()
    running = asyncio.create_task(make_runner(flow=lambda *_: looking).run())
    await looking.begun.wait()
    async with asyncio.timeout(60):
        while (seen := (await client.get(path)).json())["login"]["step"] != "password":  # noqa: ASYNC110 - it is asked for over HTTP
            await asyncio.sleep(0.01)
    login = seen["login"]
    assert (login["phase"], login["method"], login["number"], login["most"]) == ("running", "flow", 1, 4)
    assert (seen["advice"], seen["usable"]) == ("Wait: it goes on by itself.", False)
    assert seen["sentence"].endswith("Its password is given.")
    looking.gate.set()
    assert await running == 1
    assert ((await client.get(path)).json()["login"], (await last(client, alice))["sentence"]) == (None, "Late.")


class Killed(BaseException):
    """SIGKILL: nothing more is done, and nothing is caught."""


class KilledAt:
    """twscrape's flow in a worker that is killed at a step, or when all is done but nothing kept."""

    def __init__(self, step: str) -> None:
        self.step = step

    async def log_in(self, given: Credentials, on_step: OnStep) -> LoginResult:
        async def at(step: str) -> None:
            await on_step(step)
            if step == self.step:
                raise Killed

        await TwscrapeFlow().log_in(given, at)
        raise Killed


async def test_a_worker_killed_before_and_after_it_gave_the_password_and_with_the_session_loses_nothing(
    client, add_account, make_runner, clock, sandbox
) -> None:  # fmt: skip
    steps = {"before": "identifier", "after": "totp", "session": "session", "kept": "never"}
    for name, step in steps.items():
        sandbox.people.register({**ALICE, "username": name, "email": f"{name}@mail.test"})
        account = (await add_account(**{**ALICE, "username": name, "cookies": None}))["id"]
        with pytest.raises(Killed):
            await make_runner(flow=lambda *_, step=step: KilledAt(step)).run()
        half = (await client.get(f"/api/v1/accounts/{account}/status")).json()
        assert (half["state"], half["login"]["starts"]) == ("NEEDS_LOGIN", 1)
        clock.advance(31)
        assert await make_runner().run() == 1
        whole = (await client.get(f"/api/v1/accounts/{account}/status")).json()
        assert (whole["state"], whole["usable"], whole["login"]) == ("ACTIVE", True, None)
        (tried,) = (await client.get(f"/api/v1/accounts/{account}/logins")).json()["items"]
        assert tried["outcome"] == "logged_in"
        moves = (await client.get(f"/api/v1/accounts/{account}/history")).json()["items"]
        assert [one["to_state"] for one in moves] == ["ACTIVE", "NEEDS_LOGIN"][: len(moves)]
    told = {one["username"]: one["logins"] for one in sandbox.people.told()["accounts"] if one["username"] in steps}
    assert told == {"before": 1, "after": 1, "session": 2, "kept": 2}


async def test_a_login_that_kills_each_worker_ends_within_the_cap(client, alice, make_runner, clock, sandbox) -> None:
    for _ in range(3):
        with pytest.raises(Killed):
            await make_runner(flow=lambda *_: KilledAt("identifier")).run()
        clock.advance(31)
    assert await make_runner().run() == 0
    done = await last(client, alice)
    assert (done["outcome"], done["sentence"]) == ("interrupted", "The worker died 3 times during this login.")
    assert (await client.get(f"/api/v1/accounts/{alice}/status")).json()["state"] == "NEEDS_LOGIN"


async def test_without_chromium_the_sentence_says_what_to_do_and_no_try_of_the_day_is_used_up(
    client, add_account, make_runner, clock, settings
) -> None:  # fmt: skip
    nowhere = settings.model_copy(update={"login_with": "browser", "chromium": "/nowhere/chromium"})
    account = (await add_account(**{**ALICE, "cookies": None}))["id"]
    runner = make_runner(flow=Ways(nowhere).flow, daily_cap=1)
    assert await runner.run() == 1
    done = await last(client, account)
    told = "XGET_CHROMIUM names /nowhere/chromium, which is no program: correct it or install chromium."
    assert (done["outcome"], done["sentence"]) == ("no_browser", told)
    status = (await client.get(f"/api/v1/accounts/{account}/status")).json()
    assert (status["state"], status["sentence"], status["next_step"]) == ("NEEDS_LOGIN", told, "wait")
    clock.advance(61)
    assert await make_runner(daily_cap=1).run() == 1
    assert (await client.get(f"/api/v1/accounts/{account}/status")).json()["state"] == "ACTIVE"


async def test_a_login_that_takes_too_long_is_cut_off_and_tried_again_later(client, alice, make_runner, clock) -> None:
    runner = make_runner(flow=lambda *_: Dying(), seconds=0.05)
    assert await runner.run() == 1
    done = await last(client, alice)
    assert (done["outcome"], done["sentence"]) == ("timed_out", "The login took longer than 0 seconds.")
    assert await runner.run() == 0
    clock.advance(61)
    assert await make_runner().run() == 1
    assert (await client.get(f"/api/v1/accounts/{alice}/status")).json()["state"] == "ACTIVE"
