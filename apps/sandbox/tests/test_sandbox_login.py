"""twscrape's own login, unmodified, against the sandbox's people."""

from __future__ import annotations

from typing import Any

import httpx
import pyotp
import pytest
from twscrape import Account
from twscrape.http import HttpStatusError
from twscrape.login import login

ALICE = {"username": "alice", "password": "pw", "email": "alice@mail.test", "phone": "+15550100"}


def account(sandbox: Any, **other: Any) -> Account:
    given = {"username": "alice", "password": "pw", "email": "alice@mail.test", "email_password": "_", **other}
    return Account(**given, user_agent="@chrome", active=False, proxy=sandbox.proxy_url)


@pytest.mark.parametrize("challenge", ["none", "unusual", "email"])
async def test_a_registered_account_logs_in_and_its_session_can_be_ended(start, ask, gql, challenge: str) -> None:
    sandbox, secret = await start(posts=50), pyotp.random_base32()
    await ask(sandbox, "accounts", post={**ALICE, "totp": secret, "challenge": challenge})
    done = await login(account(sandbox, mfa_code=secret))
    sent = {"cookie": "; ".join(f"{k}={v}" for k, v in done.cookies.items()), "x-csrf-token": done.cookies["ct0"]}
    assert (await gql(sandbox, "UserByScreenName", screen_name="elonmusk", headers=sent)).status_code == 200
    assert await ask(sandbox, "sessions/expire", post={"username": "Alice"}) == {"expired": 1}
    refused = await gql(sandbox, "UserByScreenName", screen_name="elonmusk", headers=sent)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (401, 32)
    told = (await ask(sandbox, "accounts"))["accounts"][0]
    assert (told["logins"], told["wrong"], told["sessions"]) == (1, 0, 0)


async def test_a_wrong_password_and_a_wrong_code_are_refused_as_x_does(start, ask) -> None:
    sandbox = await start(posts=50)
    await ask(sandbox, "accounts", post={**ALICE, "totp": pyotp.random_base32()})
    for given in ({"password": "other"}, {"mfa_code": pyotp.random_base32()}, {"username": "nobody"}):
        with pytest.raises(HttpStatusError) as refused:
            await login(account(sandbox, **given))
        body = refused.value.response.json()
        assert (refused.value.response.status_code, body["errors"][0]["code"]) == (400, 399)
    assert (await ask(sandbox, "accounts"))["accounts"][0]["wrong"] == 2


@pytest.mark.parametrize(
    "body", [[], 5, {"username": ""}, {"username": "a", "color": "red"}, {"username": "a", "challenge": "riddle"}]
)
async def test_people_that_cannot_be_are_one_sentence(start, body: object) -> None:
    sandbox = await start(posts=50)
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        answer = await client.post(f"{sandbox.proxy_url}/__sandbox__/accounts", json=body)
    assert (
        (answer.status_code, answer.json()) == (200, {"pages": 0, "accounts": []})
        if body == []
        else (400, answer.json())
    )
    assert body == [] or answer.json()["error"].startswith("accounts")
