"""Codes that X refuses, and mailboxes that do not give one: each is one sentence, and the account is not burned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from xget_account.adapters.login import mail
from xget_sandbox.app import Sandbox
from xget_sandbox.ca import CertificateAuthority
from xget_testing.logins import ALICE, make_runner, sandbox

__all__ = ["make_runner", "sandbox"]

PERSON = {**ALICE, "username": "ann", "email": "ann@mail.test", "email_password": "mail pw"}
DAYS = 3


@asynccontextmanager
async def refusing(sandbox: Sandbox) -> AsyncIterator[int]:
    """The mail server lets nobody in."""
    sandbox.people.post.set({"refuse": True})
    yield sandbox.imap_port


@asynccontextmanager
async def closed(sandbox: Sandbox) -> AsyncIterator[int]:
    """Nobody listens."""
    yield 1


@asynccontextmanager
async def silent(sandbox: Sandbox) -> AsyncIterator[int]:
    """Somebody listens and says nothing."""
    async with listening(None, None) as port:
        yield port


@asynccontextmanager
async def hanging(sandbox: Sandbox) -> AsyncIterator[int]:
    """The mail server greets, and does not answer the login."""
    async with listening(sandbox.authority.context("localhost"), b"* OK here\r\n") as port:
        yield port


@asynccontextmanager
async def distrusted(sandbox: Sandbox) -> AsyncIterator[int]:
    """The mail server shows a certificate of an authority that nobody knows."""
    async with listening(CertificateAuthority().context("localhost"), b"* OK here\r\n") as port:
        yield port


@asynccontextmanager
async def listening(tls: Any, greeting: bytes | None) -> AsyncIterator[int]:
    """A server that says its greeting and what it can, and nothing more; without a greeting nothing at all."""
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            if greeting is not None:
                writer.write(greeting)
                tag = (await reader.readline()).split(b" ")[0]
                writer.write(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")
            await reader.read()
        except (OSError, asyncio.CancelledError):
            return
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks)


PATIENCE_S = {"silent": 0.3, "hanging": 4.0}
"""Only who waits for nothing may be hurried: with less, a slow machine's handshake is taken for silence."""

MAILBOXES: dict[str, tuple[Callable[[Sandbox], Any], str, str, str]] = {
    "refused": (refusing, "mail_refused", "refuses ann@mail.test: set the right `email_password`.", "give_secret"),
    "closed": (closed, "mail_away", "cannot be reached: set XGET_IMAP_HOSTS for this domain.", "login"),
    "silent": (silent, "mail_away", "does not answer: correct XGET_IMAP_HOSTS, or let it log in again later.", "login"),
    "hanging": (hanging, "mail_away", "broke off: let it log in again when it answers.", "login"),
    "distrusted": (distrusted, "mail_away", "shows a certificate that is not trusted here: correct XGET_IMAP", "login"),
}
"""What is wrong, the outcome, words of its sentence, and the next step."""


@pytest.mark.parametrize("name", MAILBOXES)
async def test_a_mailbox_that_gives_no_code_is_one_sentence_and_one_try(
    client, sandbox, keep_asking, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(mail, "CONNECT_S", PATIENCE_S.get(name, mail.CONNECT_S))
    wrong, outcome, words, next_step = MAILBOXES[name]
    async with wrong(sandbox) as port:
        account, tries = await keep_asking(port)
    status = (await client.get(f"/api/v1/accounts/{account}/status")).json()
    assert tries == [outcome], "nothing that burns the account"
    assert (status["state"], status["usable"], status["next_step"]) == ("NEEDS_LOGIN", False, next_step)
    assert words in status["sentence"]
    assert status["sentence"].count(". ") == 0, "one sentence"
    assert seen(sandbox) == {"started": 1, "logins": 0, "wrong": 0}


async def test_a_code_that_has_expired_is_tried_twice_and_then_waits_for_somebody(
    client, sandbox, keep_asking
) -> None:  # fmt: skip
    account, tries = await keep_asking(sandbox.imap_port, another_code="0ldC0de1")
    status = (await client.get(f"/api/v1/accounts/{account}/status")).json()
    assert tries == ["wrong_code", "wrong_code"], "a fresh code is asked for once"
    assert (status["state"], status["next_step"]) == ("NEEDS_LOGIN", "login")
    said = "X refuses the confirmation code of the mail: it has expired, or a newer one was sent."
    assert status["sentence"] == said
    assert seen(sandbox) == {"started": 2, "logins": 0, "wrong": 2}


async def test_a_wrong_totp_secret_is_one_sentence_and_one_try(client, sandbox, keep_asking) -> None:
    account, tries = await keep_asking(sandbox.imap_port, totp="JBSWY3DPEHPK3PXP")
    status = (await client.get(f"/api/v1/accounts/{account}/status")).json()
    assert (tries, status["state"], status["next_step"]) == (["wrong_totp"], "NEEDS_LOGIN", "give_secret")
    assert status["sentence"].startswith("X refuses the code of its TOTP secret: set the right secret")
    assert seen(sandbox) == {"started": 1, "logins": 0, "wrong": 1}


def seen(sandbox: Sandbox) -> dict[str, int]:
    """What X saw of Ann."""
    told = sandbox.people.told()["accounts"][-1]
    return {name: told[name] for name in ("started", "logins", "wrong")}


@pytest.fixture
def keep_asking(
    client, add_account, make_runner, clock, *, sandbox: Sandbox, tokens
) -> Callable[..., Awaitable[tuple[str, list[str]]]]:
    """Ann's account under a worker that looks every hour for some days; her account, and what its tries came to."""

    async def ask(port: int, another_code: str = "", **other: Any) -> tuple[str, list[str]]:
        sandbox.people.register({**PERSON, "challenge": "email_code"})
        if another_code:
            sandbox.people.post.send_code(PERSON["email"], another_code, age=-600)
            sandbox.people.post.set({"lost": True})
        sandbox.imap_port = port
        account = (await add_account(**{**PERSON, "cookies": None, **other}))["id"]
        runner = make_runner()
        for _ in range(24 * DAYS):
            await runner.run()
            clock.advance(3600)
        client.headers["Authorization"] = f"Bearer {tokens.make('ada', ['operator'])}"
        tries = (await client.get(f"/api/v1/accounts/{account}/logins")).json()["items"]
        return account, [one["outcome"] for one in tries]

    return ask
