"""Codes by mail: read over IMAP with TLS from the sandbox's mailboxes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from xget_account.adapters.login import mail
from xget_account.adapters.login.mail import MailAway, MailHosts, MailRefused, NoCode, wait_for_code
from xget_account.adapters.login.twscrape import TwscrapeFlow
from xget_account.ports import Credentials
from xget_kernel.secrets import Secret
from xget_sandbox.app import Options, Sandbox
from xget_testing.browsers import untold

ALICE = {"username": "alice", "password": "pw", "email": "Alice@mail.test", "email_password": "mail pw"}


@pytest.fixture
async def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    monkeypatch.setenv("TWS_TELEMETRY", "0")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with Sandbox(Options(port=0, posts=20, ca_file=tmp_path / "ca.pem", imap_port=0)) as sandbox:
        sandbox.people.register({**ALICE, "challenge": "email_code"})
        yield sandbox


async def code(
    sandbox: Sandbox, *, address: str = "alice@mail.test", key: str = ALICE["email_password"], seconds: float = 20.0
) -> str:
    hosts = MailHosts.parse(f"mail.test=localhost:{sandbox.imap_port}")
    return await asyncio.to_thread(wait_for_code, address, key, hosts, datetime.now(UTC), seconds)


async def test_the_newest_code_is_found_however_late_and_old_ones_are_not(sandbox: Sandbox) -> None:
    post = sandbox.people.post
    post.set({"send": {"to": "alice@mail.test", "code": "0ldC0de1", "age": 600}})
    with pytest.raises(NoCode, match=r"within 1 seconds\.$"):
        await code(sandbox, seconds=1.0)
    post.set({"delay": 1.5})
    post.send_code("alice@mail.test", "AbCd1234")
    assert await code(sandbox) == "AbCd1234"


async def test_a_code_of_a_login_just_before_is_no_answer_unless_no_other_comes(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "GRACE", 0.02)
    post = sandbox.people.post
    post.send_code("alice@mail.test", "0fBef0re", age=10)
    post.set({"delay": 0.7})
    post.send_code("alice@mail.test", "AbCd1234")
    assert await code(sandbox, seconds=60.0) == "AbCd1234"
    sandbox.people.register({**ALICE, "username": "bea", "email": "bea@mail.test"})
    post.set({"delay": 0})
    post.send_code("bea@mail.test", "C10ckSkw", age=10)
    assert await code(sandbox, address="bea@mail.test", seconds=60.0) == "C10ckSkw", "clocks of mail servers differ"


async def test_a_mailbox_that_does_not_open_is_one_sentence(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MailRefused, match=r"refuses alice@mail\.test: set the right `email_password`"):
        await code(sandbox, key="other")
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(MailAway, match="certificate that is not trusted"):
        await code(sandbox)
    sandbox.imap_port = 1
    with pytest.raises(MailAway, match="localhost:1 cannot be reached"):
        await code(sandbox)


async def test_twscrapes_flow_answers_with_the_code_of_the_mail(sandbox: Sandbox) -> None:
    given = Credentials("a", "b", "alice", "TWITTER", Secret("pw"), email="alice@mail.test",
                        email_password=Secret("mail pw"), proxy_url=Secret(sandbox.proxy_url))  # fmt: skip
    flow = TwscrapeFlow(f"mail.test=localhost:{sandbox.imap_port}", 2.0)
    sandbox.people.post.set({"lost": True})
    assert (await flow.log_in(given, untold)).outcome == "no_code"
    sandbox.people.post.set({"lost": False})
    assert (await flow.log_in(given, untold)).outcome == "logged_in"
    assert sandbox.people.told()["accounts"][0]["wrong"] == 0


@pytest.mark.parametrize("text", ["mail.test", "=host", "a=b:c"])
def test_hosts_that_are_no_list_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="domain=host"):
        MailHosts.parse(text)


def test_large_providers_are_known_and_others_are_guessed() -> None:
    hosts = MailHosts.parse("own.test=mx.own.test:1993")
    assert hosts.of("a@own.test") == ("mx.own.test", 1993)
    assert hosts.of("a@gmail.com") == ("imap.gmail.com", 993)
    assert hosts.of("a@else.test") == ("imap.else.test", 993)
