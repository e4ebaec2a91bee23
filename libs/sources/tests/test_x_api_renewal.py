"""A process that dies while it renews a user's token: each moment, and what the next process finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec import structs

from xget_sandbox.app import Sandbox
from xget_sources.ports import ApiCredential, Lease, NoAccount
from xget_sources.x_api.client import ApiClient
from xget_sources.x_api.plans import single
from xget_testing.lending import HastyClock, Lender

Start = Callable[..., Awaitable[Sandbox]]
CALL = single("findUserByUsername", "users/by/username/elonmusk", "users")
MOMENTS = ("before the intent", "after the intent", "before X", "after X", "before the pair", "after the pair")


class Killed(BaseException):
    """The process is gone."""


class Mortal(Lender):
    """Dies before or after the n-th `keep`."""

    dies = ""
    kept = 0

    async def keep(self, lease: Lease, fresh: ApiCredential) -> None:
        self.kept += 1
        moment = ("the intent", "the pair")[self.kept - 1] if self.kept < 3 else ""
        if self.dies == f"before {moment}":
            raise Killed
        await super().keep(lease, structs.replace(fresh, access_token=fresh.access_token or None))
        if self.dies == f"after {moment}":
            raise Killed


def lender(sandbox: Sandbox) -> Mortal:
    made = Mortal(sandbox.proxy_url, ("app",))
    made.api["app"] = ApiCredential(client_id="c", client_secret="s", refresh_token="refresh-anna")
    return made


def dying(client: ApiClient, moment: str) -> None:
    """The client's process dies around its request to the token endpoint."""
    tokens: Any = client._tokens
    post = tokens._post

    async def died(*asked: Any) -> Any:
        if moment == "before X":
            raise Killed
        answer = await post(*asked)
        if moment == "after X":
            raise Killed
        return answer

    tokens._post = died


@pytest.mark.parametrize("moment", MOMENTS)
async def test_only_a_pair_that_x_gave_in_that_moment_is_lost_and_that_is_known(start: Start, moment: str) -> None:
    session, first, second = lender(await start()), ApiClient(HastyClock()), ApiClient(HastyClock())
    session.dies = moment
    dying(first, moment)
    with pytest.raises(Killed):
        await first.ask(session, CALL)
    session.dies = ""
    lost = moment in ("after X", "before the pair")
    try:
        if lost:
            with pytest.raises(NoAccount):
                await second.ask(session, CALL)
            assert [seen.body_kind for seen in session.outcomes] == ["problem:renewal-lost"]
        else:
            assert (await second.ask(session, CALL)).seen.good
            assert session.api["app"].refresh_token == "refresh-anna-1"
    finally:
        await first.close()
        await second.close()


async def test_a_pair_that_could_not_be_stored_is_stored_with_the_next_lease(start: Start) -> None:
    session, client = lender(await start()), ApiClient(HastyClock())
    session.dies = "before the pair"
    with pytest.raises(Killed):
        await client.ask(session, CALL)
    assert session.api["app"].refresh_token == "refresh-anna"
    assert (await client.ask(session, CALL)).seen.good
    assert session.api["app"].refresh_token == "refresh-anna-1"
    await client.close()
