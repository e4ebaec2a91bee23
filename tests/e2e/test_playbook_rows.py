"""Each row of the playbook, from the sandbox's fault over what the source saw to the account and what the run does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from xget_account.app import create_app as account_app
from xget_account.service.playbook import packaged
from xget_account.settings import Settings as AccountSettings
from xget_kernel.ids import new_id
from xget_kernel.secrets import Secret
from xget_proxy.app import create_app as proxy_app
from xget_proxy.settings import Settings as ProxySettings
from xget_rpc.client import RpcChannel
from xget_sandbox.app import Options, Sandbox
from xget_scraper.adapters.grpc import GrpcSessions
from xget_scraper.ports import Tenant
from xget_sources.ports import NoAccount, SourceStopped
from xget_sources.x.client import XClient
from xget_sources.x_api.client import ApiClient, Call
from xget_testing.apps import running
from xget_testing.lending import HastyClock
from xget_testing.tokens import TokenMaker

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Row:
    """A fault, the rule that decides, the state that the account gets, and how the run goes on.

    A proxy that breaks off once within a page is not the account's fault: no rule is asked ("").
    """

    fault: str
    rule: str
    state: str
    then: str
    """`other`: another account answers; `same`: the account itself; else the reason of the typed end."""
    step: str = ""
    proxy: str = "same"


ROWS = (
    Row("429", "too_many_requests", "RESTING", "other", "wait"),
    Row("88", "limited_although_room_is_left", "RESTING", "other", "wait"),
    Row("88-room", "limited_although_room_is_left", "RESTING", "other", "wait"),
    Row("64", "suspended", "SUSPENDED", "other", "look"),
    Row("326", "locked", "NEEDS_HUMAN", "other", "assist"),
    Row("32", "not_authenticated", "NEEDS_LOGIN", "other", "import_cookies"),
    Row("89", "bad_token", "NEEDS_LOGIN", "other", "import_cookies"),
    Row("353", "csrf", "NEEDS_LOGIN", "other", "import_cookies"),
    Row("399", "login_refused", "NEEDS_LOGIN", "other", "give_secret"),
    Row("398", "login_denied", "NEEDS_HUMAN", "other", "assist"),
    Row("366", "login_flow_shut", "RESTING", "other", "wait"),
    Row("226", "automated", "RESTING", "other", "wait"),
    Row("401", "no_session", "NEEDS_LOGIN", "other", "import_cookies"),
    Row("403", "refused_without_a_word", "NEEDS_LOGIN", "other", "import_cookies"),
    Row("html", "cloudflare", "RESTING", "other", "wait", proxy="other"),
    Row("wall", "wall", "RESTING", "other", "wait", proxy="other"),
    Row("login-redirect", "login_page", "NEEDS_LOGIN", "other", "import_cookies"),
    Row("logged-out", "login_page", "NEEDS_LOGIN", "other", "import_cookies"),
    Row("logged-out:Page", "logged_out", "NEEDS_LOGIN", "other", "import_cookies"),
    Row("redirect", "redirected", "RESTING", "other", "wait", proxy="other"),
    Row("no-instructions", "no_instructions", "RESTING", "other", "wait"),
    Row("131", "busy", "ACTIVE", "same"),
    Row("loadshed", "loadshed", "ACTIVE", "same"),
    Row("500", "server_error", "ACTIVE", "same"),
    Row("502-html", "server_error", "ACTIVE", "same"),
    Row("malformed", "unreadable", "ACTIVE", "same"),
    Row("empty-body", "unreadable", "ACTIVE", "same"),
    Row("drop", "", "ACTIVE", "same", proxy="other"),
    Row("404", "not_found", "ACTIVE", "same"),
    Row("stale-query", "not_found", "ACTIVE", "same"),
    Row("no-transaction", "not_found", "ACTIVE", "same"),
    Row("no-transaction:Page", "no_transaction_id", "ACTIVE", "same"),
    Row("179", "about_the_target", "NEW", "same"),
    Row("214", "bad_request", "NEW", "source_error"),
    Row("336", "outdated_features", "NEW", "source_error"),
    Row("unknown", "unknown", "RESTING", "other", "wait"),
)


API_ROWS = (
    Row("402", "api_credits_depleted", "RESTING", "other", "wait"),
    Row("usage-capped", "api_usage_capped", "RESTING", "other", "wait"),
    Row("usage-capped-403", "api_usage_capped", "RESTING", "other", "wait"),
    Row("too-fast", "api_too_fast", "RESTING", "other", "wait"),
    Row("429", "api_too_many_requests", "RESTING", "other", "wait"),
    Row("html", "api_gate", "RESTING", "other", "wait", proxy="other"),
    Row("401", "api_token_refused", "NEEDS_LOGIN", "other", "give_token"),
    Row("not-enrolled", "api_not_in_plan", "RESTING", "other", "wait"),
    Row("unsupported-auth", "api_wrong_kind_of_token", "RESTING", "other", "wait"),
    Row("403", "api_forbidden", "RESTING", "other", "wait"),
    Row("214", "api_bad_request", "NEW", "source_error"),
    Row("404", "api_not_found", "NEW", "source_error"),
    Row("500", "api_server_error", "ACTIVE", "same"),
    Row("malformed", "api_unreadable", "ACTIVE", "same"),
    Row("empty-body", "api_unreadable", "ACTIVE", "same"),
    Row("drop", "api_connection_broke", "ACTIVE", "same", proxy="other"),
    Row("unknown", "unknown", "RESTING", "other", "wait"),
)
API_CALL = Call(operation="tweetsRecentSearch", path="tweets/search/recent", kind="posts", units=10,
                asked={"query": "AI", "max_results": "10"})  # fmt: skip


@dataclass
class Works:
    """The services in this process, and the sandbox behind their proxies."""

    sandbox: Sandbox
    accounts: Any
    proxies: Any
    sessions: GrpcSessions
    tokens: TokenMaker
    account_app: FastAPI
    client: XClient = field(default_factory=lambda: XClient(HastyClock()))
    api: ApiClient = field(default_factory=lambda: ApiClient(HastyClock()))

    async def people(self, owner: str, *, api: bool = False) -> list[str]:
        """Two accounts and two proxies of an owner; the accounts' ids."""
        for service in (self.accounts, self.proxies):
            service.headers["Authorization"] = f"Bearer {self.tokens.make(owner, ['operator'])}"
        for host in ("127.0.0.1", "localhost"):
            body = {"type": "http", "ip": host, "port": int(self.sandbox.proxy_url.rsplit(":", 1)[1].strip("/"))}
            made = await self.proxies.post("/api/v1/proxies", json=body)
            assert made.status_code == 201, made.text
        ids = []
        for name in ("one", "two"):
            cookies = {"auth_token": f"{owner}{name}".ljust(40, "a"), "ct0": "c" * 64}
            body = {"platform": "x_api"} if api else {"cookies": cookies}
            made = await self.accounts.post("/api/v1/accounts", json={"username": name, **body})
            assert made.status_code == 201, made.text
            ids.append(made.json()["id"])
            if api:
                tokens = {"bearer_token": f"{owner}-{name}", "monthly_budget_usd": "5"}
                put = await self.accounts.put(f"/api/v1/accounts/{ids[-1]}/api", json=tokens)
                assert put.status_code == 200, put.text
        return ids

    async def status(self, account_id: str) -> dict[str, Any]:
        return dict((await self.accounts.get(f"/api/v1/accounts/{account_id}/status")).json())


@pytest.fixture
async def works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Works]:
    ca_file, tokens = tmp_path / "ca.pem", TokenMaker()
    sandbox = Sandbox(Options(port=0, ca_file=ca_file, posts=200))
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    common: dict[str, Any] = {"home": tmp_path, "port": 0, "internal_token": Secret("inner")}
    async with AsyncExitStack() as stack:
        await sandbox.start()
        stack.push_async_callback(sandbox.stop)
        proxies = proxy_app(
            ProxySettings(**common, proxy_allow_networks="127.0.0.0/8,::1/128,localhost"), verifier=tokens.verifier()
        )
        accounts = account_app(AccountSettings(**common), verifier=tokens.verifier())
        clients = [await stack.enter_async_context(running(app)) for app in (accounts, proxies)]
        channels = [RpcChannel(f"127.0.0.1:{app.state.grpc_port}", "inner") for app in (accounts, proxies)]
        for channel in channels:
            stack.push_async_callback(channel.close)
        made = Works(sandbox, *clients, GrpcSessions(*channels, HastyClock(), 60), tokens, accounts)
        stack.push_async_callback(made.client.close)
        stack.push_async_callback(made.api.close)
        yield made


@asynccontextmanager
async def watched(works: Works, owner: str, first: str) -> AsyncIterator[tuple[Any, list[Any], list[str]]]:
    """A session of a run that begins with an account, what it lends, and the rule that decided each report."""
    tenant = Tenant(
        execution_id=new_id(),
        platform="x",
        pool_owners=[owner],
        account_id=None,
        sticky_account_id=first,
        proxy_id=None,
    )
    lent: list[Any] = []
    rules: list[str] = []
    async with works.sessions.open(tenant) as session:
        acquire = session.acquire

        async def acquired(operation: str, **more: Any) -> Any:
            lent.append(await acquire(operation, **more))
            return lent[-1]

        report = session.report

        async def reported(lease: Any, told: Any) -> str:
            said = await report(lease, told)
            last = (await works.status(lease.account_id))["last_report"]
            rules.append(last["rule"] if last else "")
            return said

        session.acquire = acquired  # type: ignore[method-assign]  # to see what was lent
        session.report = reported  # type: ignore[method-assign]  # as above
        yield session, lent, rules


async def outcome(works: Works, session: Any, *, api: bool = False) -> str:
    """The account that answered, or the reason of the end."""
    try:
        if api:
            return (await works.api.ask(session, API_CALL)).account_id
        answer = await works.client.ask(session, lambda api: api.search_raw("AI", limit=1))
    except SourceStopped as stopped:
        return stopped.reason if stopped.detail.endswith(".") else f"no sentence: {stopped.detail}"
    except NoAccount as none:
        return f"no account until {none.resume_at}"
    return answer.account_id


async def run_row(works: Works, row: Row, *, api: bool = False) -> str:
    """What differs from the row; empty when nothing does."""
    owner = f"{'api' if api else 'o'}-{row.fault.replace(':', '-').lower()}"
    first, second = await works.people(owner, api=api)
    kind, _, place = row.fault.partition(":")
    struck = place or (API_CALL.operation if api else "SearchTimeline")
    works.sandbox.director.conditions.faults.set([f"{kind}:{struck}@1"])
    async with watched(works, owner, first) as (session, lent, rules):
        ended = await outcome(works, session, api=api)
    works.sandbox.director.conditions.faults.set([])
    status = await works.status(first)
    history = (await works.accounts.get(f"/api/v1/accounts/{first}/history")).json()["items"]
    then = {first: "same", second: "other"}.get(ended, ended)
    proxy = "same" if lent[0].proxy_id == lent[-1].proxy_id else "other"
    moved = [one["to_state"] for one in history][:1] if row.state in ("SUSPENDED", "NEEDS_HUMAN", "NEEDS_LOGIN") else []
    seen = (then, status["state"], proxy if row.proxy == "other" else "same", status["next_step"])
    wanted = (row.then, row.state, row.proxy, row.step)
    if moved and moved != [row.state]:
        return f"{row.fault}: history says {moved}"
    if rules[0] != row.rule:
        return f"{row.fault}: decided by {rules}, not {row.rule}"
    return "" if seen == wanted else f"{row.fault}: {seen} instead of {wanted} ({status['sentence']})"


async def test_every_fault_leads_to_what_the_playbook_says(works: Works) -> None:
    wrong = [said for row in ROWS if (said := await run_row(works, row))]
    assert not wrong, "\n".join(wrong)
    rules = {rule.name for rule in packaged().rules if rule.route == "x_session"}
    elsewhere = {"data", "nothing_there", "data_and_window_spent", "window_spent", "rate_limited", "connection_broke"}
    assert {row.rule for row in ROWS} - {""} == rules - elsewhere | {"unknown"}, "Give each rule a fault of the sandbox"


async def test_every_fault_of_the_api_leads_to_what_the_playbook_says(works: Works) -> None:
    wrong = [said for row in API_ROWS if (said := await run_row(works, row, api=True))]
    assert not wrong, "\n".join(wrong)
    rules = {rule.name for rule in packaged().rules if rule.route == "x_api"}
    good = {"api_answer", "api_window_spent", "api_data_and_window_spent", "api_renewal_lost"}  # tried elsewhere
    assert {row.rule for row in API_ROWS} == rules - good | {"unknown"}


@pytest.mark.parametrize("api", [False, True])
async def test_an_answer_that_nobody_knows_is_kept_without_what_is_personal_and_ends_typed(
    works: Works, *, api: bool
) -> None:
    first, _ = await works.people("ada", api=api)
    operation = API_CALL.operation if api else "SearchTimeline"
    works.sandbox.director.conditions.faults.set([f"unknown:{operation}%1"])
    async with watched(works, "ada", first) as (session, _, _):
        assert await outcome(works, session, api=api) == "source_error"
    kept = (await works.accounts.get("/api/v1/accounts/samples")).json()
    assert [one["status"] for one in kept["items"]] == [418, 418]
    assert {one["body_kind"] for one in kept["items"]} == {"problem" if api else "json"}
    shown = str(kept)
    assert "somebody" not in shown
    assert "https" not in shown
    assert kept["items"][0]["answer"]["error_codes"] == ([] if api else [9999])
    assert ("detail" if api else "errors") in kept["items"][0]["answer"]["outline"]
